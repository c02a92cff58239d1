// `portcullis drain`: makes a server of a running gateway keep its sessions and get nothing new.

import { takeOption, takeSwitch } from './command.ts';
import type { Command } from './command.ts';
import { apiUrl, postJson, reasonIn } from './post-json.ts';

export const drain: Command = {
  name: 'drain',
  summary: 'Let a server keep its sticky sessions and get no new ones',
  usage: ['drain SERVICE@PROVIDER URL', 'drain --undo SERVICE@PROVIDER URL'],
  options: [
    ['--undo', 'It gets new sessions again'],
    ['--endpoint URL', 'Where the API answers, with its base path; default http://127.0.0.1:8080'],
  ],
  run: async (context) => {
    const undo = takeSwitch(context.argv, '--undo');
    const endpoint = takeOption(undo.rest, ['--endpoint']);
    const [service, server, ...extra] = endpoint.rest;
    const url = apiUrl(endpoint.values[0], '/api/portcullis/servers/drain');
    const problem =
      url === null
        ? '--endpoint must be an http:// URL'
        : service === undefined || server === undefined || extra.length > 0
          ? 'give a service and the URL of one of its servers'
          : null;
    if (problem !== null || url === null) {
      context.err(`portcullis drain: ${problem}\n`);
      return 2;
    }
    try {
      const { status, body } = await postJson(
        url,
        JSON.stringify({ service, url: server, drain: !undo.isSet }),
      );
      if (status === 200) {
        context.out(undo.isSet ? 'gets new sessions again\n' : 'drains\n');
        return 0;
      }
      context.err(`portcullis drain: the API answered ${status}${reasonIn(body)}\n`);
    } catch (error) {
      context.err(`portcullis drain: ${error instanceof Error ? error.message : 'failed'}\n`);
    }
    return 1;
  },
};
