// The API: one function from a request to an answer. Workers bring the requests.

import type { ApiAnswer, ApiRequest } from '../../model/ipc.ts';
import { failure, json, jsonText, methodNotAllowed, notFound, redirect } from './answers.ts';
import {
  type CertificateFact,
  certificateFacts,
  certificateView,
  tlsCertificateView,
} from './certificate-view.ts';
import { dashboard } from './dashboard.ts';
import { debug } from './debug.ts';
import { diagnostics } from './diagnostics.ts';
import { drainServers } from './drain-servers.ts';
import { entryPoints, entryPointView } from './entry-point-view.ts';
import { explain } from './explain.ts';
import type { ApiFacts, ApiSources } from './facts.ts';
import { list, page } from './list.ts';
import { live } from './live.ts';
import { purge } from './purge.ts';
import { createQueue, mapInSlices } from './slices.ts';
import { overview, rawData } from './summary.ts';
import { supportDump } from './support-dump.ts';
import { type Kind, viewOf, viewsOfKind } from './views.ts';
import { walk } from './walk.ts';

export type Api = (request: ApiRequest) => Promise<ApiAnswer>;

/** Requests that wait for their answer to be made, over all workers. */
const maxWaiting = 256;

export function createApi(facts: ApiFacts, sources: ApiSources): Api {
  const queue = createQueue(maxWaiting);
  return async (request) => {
    const target = readTarget(request.target);
    const query = target.query;
    const path = within(target.path, request.service === 'dashboard' ? '' : facts.basePath);
    if (path === null) return notFound();
    if (path === '/api/portcullis/auth-cache/purge') {
      return request.method === 'POST' ? purge(request, sources.purge) : methodNotAllowed('POST');
    }
    if (path === '/api/portcullis/servers/drain' && sources.drains !== undefined) {
      return drainServers(request, sources.drains);
    }
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const file = request.service === 'dashboard' ? fileOf(path) : facts.dashboard ? fileBelow(path) : null;
    if (file !== null) {
      const found = await dashboard(file, facts, request.acceptEncoding ?? '');
      return found === null ? notFound() : isRead ? found : methodNotAllowed('GET');
    }
    const answer = request.service === 'dashboard' ? null : read({ path, query, facts, sources });
    if (answer === null) return notFound();
    if (!isRead) return methodNotAllowed('GET');
    // It waits for the next second: not in front of others.
    if (path === '/api/portcullis/live' && sources.live !== undefined)
      return live(query, sources.live, sources);
    return queue.run(async () => answer()) ?? failure(503, 'too many API requests');
  };
}

/** Made only once the method is known to be right. */
type Answer = () => ApiAnswer | Promise<ApiAnswer>;

interface Asked {
  /** Without base path and without a slash at its end. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly facts: ApiFacts;
  readonly sources: ApiSources;
}

/** Null: no such path. */
function read(asked: Asked): Answer | null {
  const { path, query, facts, sources } = asked;
  const single = singles.get(path);
  if (single !== undefined) return () => single(asked);
  if (path === '/debug' || path.startsWith('/debug/'))
    return facts.debug ? () => debug(path, sources.workers()) : null;
  const [, api, section = '', ...rest] = path.split('/');
  if (api !== 'api') return facts.dashboard ? toDashboard(path) : null;
  if (section === 'entrypoints') return entryPoint(asked, rest);
  if (section === 'certificates') return certificates(certificateView, rest, asked);
  const [kind = '', ...id] = rest;
  if (section === 'portcullis' && kind === 'walk')
    return named(id, 'router', (name) => walk(name, facts, sources));
  if (section === 'http') return isKind(kind) ? ofKind(kind, id, asked) : null;
  if (section === 'tls' && kind === 'certificates') return certificates(tlsCertificateView, id, asked);
  const others = section === 'tcp' ? [...kinds.keys()] : section === 'udp' ? ['routers', 'services'] : [];
  // Traefik's dashboard and its exporters ask for these: an empty list is the truth.
  return others.includes(kind) ? nothing(kind.slice(0, -1), id, query) : null;
}

const singles: ReadonlyMap<string, (asked: Asked) => ApiAnswer | Promise<ApiAnswer>> = new Map<
  string,
  (asked: Asked) => ApiAnswer | Promise<ApiAnswer>
>([
  ['/api/version', ({ facts }) => json(version(facts))],
  ['/api/overview', ({ facts, sources }) => json(overview(sources.snapshot(), facts, sources.obtained?.()))],
  ['/api/rawdata', async ({ sources }) => jsonText(await rawData(sources))],
  ['/api/support-dump', ({ facts, sources }) => supportDump(facts, sources)],
  ['/api/diagnostics', ({ query, sources }) => diagnostics(sources.diagnostics(), query)],
  ['/api/portcullis/acme', ({ sources }) => json(sources.acme?.() ?? [])],
  ['/api/portcullis/explain', ({ query, facts, sources }) => explain(query, facts, sources)],
  ['/api/portcullis/live', () => failure(404, 'nobody counts here')],
  ['/api/portcullis/status', ({ sources }) => json(status(sources))],
]);

function version(facts: ApiFacts): Record<string, unknown> {
  return {
    Version: facts.version,
    Codename: 'portcullis',
    startDate: facts.startDate,
    ...(facts.disableDashboardAd ? { disableDashboardAd: true } : {}),
    ...(facts.dashboardName === '' ? {} : { dashboardName: facts.dashboardName }),
  };
}

function status(sources: ApiSources): Record<string, unknown> {
  const { version: running, hash } = sources.snapshot();
  return { version: running, hash, workers: sources.workers(), diagnostics: sources.diagnostics() };
}

const kinds: ReadonlyMap<string, string> = new Map([
  ['routers', 'router'],
  ['services', 'service'],
  ['middlewares', 'middleware'],
]);

function isKind(text: string): text is Kind {
  return kinds.has(text);
}

function ofKind(kind: Kind, id: readonly string[], { query, sources }: Asked): Answer | null {
  if (id.length === 0) {
    return async () => list(await viewsOfKind(kind, sources.snapshot(), sources.serverStates), query);
  }
  return named(id, kinds.get(kind) ?? '', (name) =>
    viewOf(kind, name, sources.snapshot(), sources.serverStates),
  );
}

function entryPoint({ query, facts, sources }: Asked, id: readonly string[]): Answer | null {
  const { listeners } = sources.snapshot().tls;
  if (id.length === 0) return () => page(entryPoints(facts.entryPoints, listeners), query);
  return named(id, 'entry point', (name) => {
    const found = facts.entryPoints.find((point) => point.name === name);
    return found === undefined ? null : entryPointView(found, listeners);
  });
}

/** By their fingerprints. */
function certificates(
  view: (fact: CertificateFact) => object,
  id: readonly string[],
  { query, sources }: Asked,
): Answer | null {
  const all = (): CertificateFact[] => certificateFacts(sources.snapshot(), sources.obtained?.());
  if (id.length === 0) return async () => page(await mapInSlices(all(), view), query);
  return named(id, 'certificate', (name) => {
    const found = all().find(({ certificate }) => certificate.fingerprint === name.toLowerCase());
    return found === undefined ? null : view(found);
  });
}

function nothing(word: string, id: readonly string[], query: URLSearchParams): Answer | null {
  return id.length === 0 ? () => page([], query) : named(id, word, () => null);
}

function named(id: readonly string[], word: string, find: (name: string) => object | null): Answer | null {
  const name = decode(id.join('/'));
  if (name === null || name === '') return null;
  return () => {
    const found = find(name);
    return found === null ? failure(404, `${word} not found: ${name.slice(0, 200)}`) : json(found);
  };
}

/** Relative, so that it holds behind any prefix. */
function toDashboard(path: string): Answer | null {
  return path === '/' || path === '/dashboard' ? () => redirect('./dashboard/') : null;
}

/** Name of a file of the dashboard, empty for its page. Null: it is none. */
function fileBelow(path: string): string | null {
  return path.startsWith('/dashboard/') ? path.slice('/dashboard/'.length) : null;
}

/** `dashboard@internal` mostly sees its paths without `/dashboard`. */
function fileOf(path: string): string | null {
  if (path.startsWith('/dashboard/')) return fileBelow(path);
  return path.startsWith('/api/') ? null : path.slice(1);
}

function readTarget(target: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  return { path, query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)) };
}

/** The path below the base path; a slash at the end of what is no page makes no difference. Null: not below it. */
function within(whole: string, basePath: string): string | null {
  if (!whole.startsWith(`${basePath}/`)) return null;
  const path = whole.slice(basePath.length);
  return path.startsWith('/api/') && path.endsWith('/') ? path.slice(0, -1) : path;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
