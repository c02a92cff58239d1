// `portcullis purge`: makes a running gateway forget cached auth decisions.

import type { PurgeSelector } from '../model/ipc.ts';
import { takeOption, takeSwitch } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { apiUrl, postJson, reasonIn } from './post-json.ts';

/** Bytes of a token on standard input. */
const maxToken = 32 * 1024;

export const purge: Command = {
  name: 'purge',
  summary: 'Forget cached auth decisions, on all workers and all nodes that share a Redis',
  usage: ['purge --all', 'purge --token TOKEN', "purge --header 'X-User-Id: 17'"],
  options: [
    ['--all', 'Every decision'],
    [
      '--token T',
      'Decisions a request with this token got; `-` reads it from standard input, so that no process list shows it',
    ],
    ["--header 'NAME: VALUE'", 'Decisions whose auth answer had this header'],
    ['--endpoint URL', 'Where the API answers, with its base path; default http://127.0.0.1:8080'],
  ],
  run: async (context) => {
    const asked = await readRequest(context);
    if (typeof asked === 'string') {
      context.err(`portcullis purge: ${asked}\n`);
      return 2;
    }
    try {
      const { status, body } = await postJson(asked.url, JSON.stringify(asked.selector));
      if (status === 200) {
        context.out(`purged ${purgedCount(body)}\n`);
        return 0;
      }
      context.err(
        `portcullis purge: the API answered ${status}${status === 404 ? '; is `api` on at this endpoint?' : reasonIn(body)}\n`,
      );
    } catch (error) {
      context.err(`portcullis purge: ${error instanceof Error ? error.message : 'failed'}\n`);
    }
    return 1;
  },
};

async function readRequest(context: CommandContext): Promise<{ selector: PurgeSelector; url: URL } | string> {
  const all = takeSwitch(context.argv, '--all');
  const token = takeOption(all.rest, ['--token']);
  const header = takeOption(token.rest, ['--header', '-H']);
  const endpoint = takeOption(header.rest, ['--endpoint']);
  const [extra] = endpoint.rest;
  if (extra !== undefined) return `unknown argument ${JSON.stringify(extra.slice(0, 80))}`;
  if (Number(all.isSet) + token.values.length + header.values.length !== 1)
    return 'give exactly one of --all, --token and --header';
  const url = apiUrl(endpoint.values[0], '/api/portcullis/auth-cache/purge');
  if (url === null) return '--endpoint must be an http:// URL';
  const selector = all.isSet
    ? ({ by: 'all' } as const)
    : await readSelector(token.values[0], header.values[0]);
  return typeof selector === 'string' ? selector : { selector, url };
}

async function readSelector(
  token: string | undefined,
  header: string | undefined,
): Promise<PurgeSelector | string> {
  if (token !== undefined) {
    const text = token === '-' ? await readStdin() : token;
    return text === null || text === '' ? 'the token is empty or too long' : { by: 'token', token: text };
  }
  const match = /^([!#$%&'*+\-.^_`|~\w]+)\s*:\s*(.*?)\s*$/.exec(header ?? '');
  if (match === null) return "--header must be 'NAME: VALUE'";
  return { by: 'header', name: match[1] as string, value: match[2] as string };
}

async function readStdin(): Promise<string | null> {
  let text = '';
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > maxToken) return null;
  }
  return text.trim();
}

function purgedCount(body: string): number {
  try {
    const answer = JSON.parse(body) as { purged?: unknown };
    return typeof answer.purged === 'number' ? answer.purged : 0;
  } catch {
    return 0;
  }
}
