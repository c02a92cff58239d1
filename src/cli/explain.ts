// `portcullis explain METHOD URL`: which router wins, what runs, and why the others do not.

import { isIP } from 'node:net';
import type { EncodedCharacters } from '../model/entry-point.ts';
import { canonicalHost } from '../proxy/entrypoints/host.ts';
import { readSearch, readTarget } from '../proxy/entrypoints/target.ts';
import type { RuleSubject } from '../rules/subject.ts';
import { takeOption } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { factsFrom, factsOf } from './explain/facts.ts';
import type { Facts, Shown } from './explain/facts.ts';
import { tell } from './explain/tell.ts';
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

interface Question {
  readonly method: string;
  readonly url: URL;
  /** Path and query as typed: `URL` would tidy the path up before the gateway does. */
  readonly target: string;
  readonly headers: readonly string[];
  readonly entryPoint: string | undefined;
  readonly peer: string;
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
  if (method === undefined || written === undefined || !/^[A-Z]+$/i.test(method))
    return 'give a method and a URL, for example GET http://example.com/path';
  if (!/^https?:\/\//i.test(written) || !URL.canParse(written))
    return 'the URL must begin with http:// or https://';
  const headers: string[] = [];
  for (const line of header.values) {
    const colon = line.indexOf(':');
    if (colon < 1) return "-H must be 'Name: value'";
    headers.push(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const from = peer.values[0] ?? '127.0.0.1';
  if (isIP(from) === 0) return '--peer must be an IP address';
  const [api] = endpoint.values;
  if (api !== undefined && (!URL.canParse(api) || new URL(api).protocol !== 'http:'))
    return '--endpoint must be an http:// URL';
  if (api !== undefined && flags.length > 0)
    return 'with --endpoint the running gateway is asked: give no files and no flags';
  const target = /^https?:\/\/[^/?#]*([^#]*)/i.exec(written)?.[1] ?? '';
  return {
    method: method.toUpperCase(),
    url: new URL(written),
    target: target.startsWith('/') ? target : `/${target}`,
    headers,
    entryPoint: entryPoint.values[0],
    peer: from,
    endpoint: api,
    flags,
  };
}

function chooseEntryPoint(entryPoints: readonly Shown[], asked: Question): Shown | undefined {
  if (asked.entryPoint !== undefined) return entryPoints.find(({ name }) => name === asked.entryPoint);
  const port = asked.url.port || (asked.url.protocol === 'https:' ? '443' : '80');
  return entryPoints.find(({ address }) => String(address).endsWith(`:${port}`)) ?? entryPoints[0];
}

interface HttpSettings {
  readonly sanitizePath?: boolean;
  readonly encodeQuerySemicolons?: boolean;
  readonly encodedCharacters?: Partial<EncodedCharacters>;
}

/** Of an API that does not tell: nothing is refused that the gateway might let through. */
const anyCharacter: EncodedCharacters = {
  slash: true,
  backSlash: true,
  nullCharacter: true,
  semicolon: true,
  percent: true,
  questionMark: true,
  hash: true,
};

/** The request as rules see it after intake, or the sentence that says why it is refused there. */
function subjectOf(asked: Question, entryPoint: Shown): RuleSubject | string {
  const {
    sanitizePath = true,
    encodeQuerySemicolons = false,
    encodedCharacters,
  } = (entryPoint['http'] ?? {}) as HttpSettings;
  const [path = '/', ...query] = asked.target.split('?');
  const target = readTarget(path, {
    sanitizePath,
    encodedCharacters: { ...anyCharacter, ...encodedCharacters },
  });
  const search = readSearch(query.join('?'), encodeQuerySemicolons);
  if (target === null || search === null) return '400: the path or query has no one meaning';
  const at = asked.headers.findIndex((text, index) => index % 2 === 0 && text === 'host');
  const authority = at === -1 ? asked.url.host : (asked.headers[at + 1] as string);
  const host = canonicalHost(authority);
  if (host === null) return '400: the host has no one meaning';
  const headers = asked.headers.filter((_text, index) => asked.headers[index - (index % 2)] !== 'host');
  return { host, routePath: target.routePath, method: asked.method, headers, search, peer: asked.peer };
}
