// `portcullis explain METHOD URL`: which router wins, what runs, and why the others do not.

import { type Facts, factsOf } from '../primary/explain/facts.ts';
import { type Asked, chooseEntryPoint, readAsked, subjectOf } from '../primary/explain/subject.ts';
import { tell } from '../primary/explain/tell.ts';
import { takeOption } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { factsFrom } from './explain/ask.ts';
import { loadInputs } from './inputs.ts';
import { render } from './load.ts';

export const explain: Command = {
  name: 'explain',
  summary: 'Say which router answers a request, and why the others do not',
  usage: [
    "explain METHOD URL [-H 'Name: value'] [--entrypoint NAME] [--peer IP] [flags]",
    'explain METHOD URL FILE… [flags]',
    'explain METHOD URL --endpoint http://127.0.0.1:8080',
  ],
  options: [
    ['FILE', 'A static file, dynamic files, directories or a compose file'],
    ['--endpoint URL', 'Ask a running gateway: where its API answers, with its base path'],
    ["-H, --header 'NAME: VALUE'", 'A header of the request; may be repeated'],
    [
      '--entrypoint NAME',
      'Where the request comes in; else the entry point on the URL’s port, else the first',
    ],
    ['--peer IP', 'Where the request comes from; default 127.0.0.1'],
  ],
  run: async (context) => {
    const asked = readQuestion(context.argv);
    if (typeof asked === 'string') {
      context.err(`portcullis explain: ${asked}\n`);
      return 2;
    }
    const facts = await (asked.endpoint === undefined
      ? readFiles(context, asked)
      : askGateway(context, asked.endpoint));
    if (typeof facts === 'number') return facts;
    const entryPoint = chooseEntryPoint(facts.entryPoints, asked);
    if (entryPoint === undefined) {
      context.err(
        `portcullis explain: no such entry point; there are: ${facts.entryPoints.map(({ name }) => name).join(', ')}\n`,
      );
      return 2;
    }
    const subject = subjectOf(asked, entryPoint);
    if (typeof subject === 'string') {
      context.out(`${subject}\n`);
      return 1;
    }
    const { text, isServed } = tell({ facts, entryPoint, subject, isTls: asked.url.protocol === 'https:' });
    context.out(text);
    return isServed ? 0 : 1;
  },
};

/** A number is the exit code when there is nothing to look at. */
async function readFiles(context: CommandContext, asked: Question): Promise<Facts | number> {
  const { resolved, snapshot, diagnostics } = await loadInputs({ ...context, argv: asked.flags });
  if (resolved !== null && snapshot !== null) return factsOf(snapshot, resolved.entryPoints);
  context.err(render(diagnostics, 'tty', context));
  return 1;
}

async function askGateway(context: CommandContext, endpoint: string): Promise<Facts | number> {
  try {
    return await factsFrom(endpoint);
  } catch (error) {
    context.err(`portcullis explain: ${error instanceof Error ? error.message : 'failed'}\n`);
    return 1;
  }
}

interface Question extends Asked {
  /** Of a running gateway's API. */
  readonly endpoint: string | undefined;
  readonly flags: readonly string[];
}

function readQuestion(argv: readonly string[]): Question | string {
  const header = takeOption(argv, ['-H', '--header']);
  const entryPoint = takeOption(header.rest, ['--entrypoint', '--entryPoint']);
  const peer = takeOption(entryPoint.rest, ['--peer']);
  const endpoint = takeOption(peer.rest, ['--endpoint']);
  const [method, written, ...flags] = endpoint.rest;
  const asked = readAsked({
    method: method ?? '',
    url: written ?? '',
    headers: header.values,
    entryPoint: entryPoint.values[0],
    peer: peer.values[0],
  });
  if (typeof asked === 'string') return asked;
  const [api] = endpoint.values;
  if (api !== undefined && (!URL.canParse(api) || new URL(api).protocol !== 'http:'))
    return '--endpoint must be an http:// URL';
  if (api !== undefined && flags.length > 0)
    return 'with --endpoint the running gateway is asked: give no files and no flags';
  return { ...asked, endpoint: api, flags };
}
