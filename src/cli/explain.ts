// `portcullis explain METHOD URL`: which router wins, what runs, and why the others do not.

import { isIP } from 'node:net';
import type { EntryPointSpec } from '../model/entry-point.ts';
import type { RouterSpec, Snapshot } from '../model/snapshot.ts';
import { compileRule } from '../rules/compile.ts';
import { explainRule } from '../rules/explain.ts';
import { canonicalHost } from '../proxy/entrypoints/host.ts';
import { readSearch, readTarget } from '../proxy/entrypoints/target.ts';
import type { RuleSubject } from '../rules/subject.ts';
import { takeOption } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { loadConfiguration, render } from './load.ts';

export const explain: Command = {
  name: 'explain',
  summary: 'Say which router answers a request, and why the others do not',
  usage: ["explain METHOD URL [-H 'Name: value'] [--entrypoint NAME] [--peer IP] [flags]"],
  options: [
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
    const { resolved, snapshot, diagnostics } = loadConfiguration({ ...context, argv: asked.flags });
    if (resolved === null || snapshot === null) {
      context.err(render(diagnostics, 'tty', context));
      return 1;
    }
    const entryPoint = chooseEntryPoint(resolved.entryPoints, asked);
    if (entryPoint === undefined) {
      context.err(
        `portcullis explain: no such entry point; there are: ${resolved.entryPoints.map(({ name }) => name).join(', ')}\n`,
      );
      return 2;
    }
    const subject = subjectOf(asked, entryPoint);
    if (typeof subject === 'string') {
      context.out(`${subject}\n`);
      return 1;
    }
    return tell(context, { snapshot, entryPoint, subject, isTls: asked.url.protocol === 'https:' });
  },
};

interface Question {
  readonly method: string;
  readonly url: URL;
  /** Path and query as typed: `URL` would tidy the path up before the gateway does. */
  readonly target: string;
  readonly headers: readonly string[];
  readonly entryPoint: string | undefined;
  readonly peer: string;
  readonly flags: readonly string[];
}

function readQuestion(argv: readonly string[]): Question | string {
  const header = takeOption(argv, ['-H', '--header']);
  const entryPoint = takeOption(header.rest, ['--entrypoint', '--entryPoint']);
  const peer = takeOption(entryPoint.rest, ['--peer']);
  const [method, written, ...flags] = peer.rest;
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
  const target = /^https?:\/\/[^/?#]*([^#]*)/i.exec(written)?.[1] ?? '';
  return {
    method: method.toUpperCase(),
    url: new URL(written),
    target: target.startsWith('/') ? target : `/${target}`,
    headers,
    entryPoint: entryPoint.values[0],
    peer: from,
    flags,
  };
}

function chooseEntryPoint(
  entryPoints: readonly EntryPointSpec[],
  asked: Question,
): EntryPointSpec | undefined {
  if (asked.entryPoint !== undefined) return entryPoints.find(({ name }) => name === asked.entryPoint);
  const port = Number(asked.url.port) || (asked.url.protocol === 'https:' ? 443 : 80);
  return entryPoints.find((entryPoint) => entryPoint.port === port) ?? entryPoints[0];
}

/** The request as rules see it after intake, or the sentence that says why it is refused there. */
function subjectOf(asked: Question, { http }: EntryPointSpec): RuleSubject | string {
  const [path = '/', ...query] = asked.target.split('?');
  const target = readTarget(path, http);
  const search = readSearch(query.join('?'), http.encodeQuerySemicolons);
  if (target === null || search === null) return '400: the path or query has no one meaning';
  const at = asked.headers.findIndex((text, index) => index % 2 === 0 && text === 'host');
  const authority = at === -1 ? asked.url.host : (asked.headers[at + 1] as string);
  const host = canonicalHost(authority);
  if (host === null) return '400: the host has no one meaning';
  const headers = asked.headers.filter((_text, index) => asked.headers[index - (index % 2)] !== 'host');
  return { host, routePath: target.routePath, method: asked.method, headers, search, peer: asked.peer };
}

interface Case {
  readonly snapshot: Snapshot;
  readonly entryPoint: EntryPointSpec;
  readonly subject: RuleSubject;
  readonly isTls: boolean;
}

/** Goes down the routers as the router table would; ties break by name. */
function tell(context: CommandContext, { snapshot, entryPoint, subject, isTls }: Case): number {
  const onEntryPoint = snapshot.routers.filter((router) => router.entryPoints.includes(entryPoint.name));
  const tried = onEntryPoint.filter((router) => (router.tls !== null) === isTls).toSorted(byPriority);
  context.out(
    `${subject.method} host ${subject.host} path ${subject.routePath} on entry point ${entryPoint.name}\n`,
  );
  let winner: RouterSpec | null = null;
  for (const router of tried) {
    const reason = winner === null ? whyNot(router, subject) : `not tried: ${winner.name} has matched`;
    if (reason === null) winner = router;
    context.out(
      `${reason === null ? '>' : ' '} ${router.name} (priority ${router.priority}) ${router.rule}\n`,
    );
    if (reason !== null) context.out(`      ${reason}\n`);
  }
  for (const router of onEntryPoint) {
    if (!tried.includes(router))
      context.out(`  ${router.name}\n      not tried: it serves ${isTls ? 'cleartext' : 'TLS'} only\n`);
  }
  if (winner === null) {
    context.out('404: no router matches\n');
    return 1;
  }
  context.out(answer(winner, snapshot));
  return winner.errors.length === 0 ? 0 : 1;
}

function byPriority(a: RouterSpec, b: RouterSpec): number {
  if (a.priority !== b.priority) return a.priority > b.priority ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/** Null: the router matches. */
function whyNot(router: RouterSpec, subject: RuleSubject): string | null {
  const compiled = compileRule(router.rule, router.ruleSyntax);
  if (!compiled.ok) return `its rule is wrong: ${compiled.error.message}`;
  const { matched, failed } = explainRule(compiled.rule, subject);
  return matched ? null : `does not match: ${failed ?? ''}`;
}

function answer(winner: RouterSpec, snapshot: Snapshot): string {
  const service = snapshot.services.find(({ name }) => name === winner.service);
  const servers = service?.kind === 'loadBalancer' ? service.servers.map(({ url, path }) => url + path) : [];
  const middlewares = winner.middlewares.map((name) => {
    const middleware = snapshot.middlewares.find((candidate) => candidate.name === name);
    return middleware === undefined ? name : `${name} (${middleware.kind})`;
  });
  return [
    `router:      ${winner.name}\n`,
    `middlewares: ${middlewares.length === 0 ? 'none' : middlewares.join(' → ')}\n`,
    `service:     ${winner.service}\n`,
    servers.length === 0 ? '' : `servers:     ${servers.join(', ')}\n`,
    ...winner.errors.map((error) => `503: ${error}\n`),
  ].join('');
}
