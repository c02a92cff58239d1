// The JSON API: one function from a request to an answer. Workers bring the requests.

import type { ApiAnswer, ApiRequest } from '../../model/ipc.ts';
import { failure, json, methodNotAllowed, notFound } from './answers.ts';
import { entryPointView } from './entry-point-view.ts';
import type { ApiFacts, ApiSources } from './facts.ts';
import { list, type Listed } from './list.ts';
import { purge } from './purge.ts';
import { overview, rawData } from './summary.ts';
import { viewsOf } from './views.ts';

export type Api = (request: ApiRequest) => Promise<ApiAnswer>;

const kinds = { routers: 'router', services: 'service', middlewares: 'middleware' } as const;

export function createApi(facts: ApiFacts, sources: ApiSources): Api {
  return async (request) => {
    const target = readTarget(request.target, facts.basePath);
    if (target === null) return notFound();
    const { path, query } = target;
    if (path === '/api/portcullis/auth-cache/purge') {
      return request.method === 'POST' ? purge(request, sources.purge) : methodNotAllowed('POST');
    }
    const answer = read(path, query, facts, sources);
    if (answer === null) return notFound();
    return request.method === 'GET' || request.method === 'HEAD' ? answer() : methodNotAllowed('GET');
  };
}

/** Null: no such path. The answer is made only once the method is known to be right. */
function read(
  path: string,
  query: URLSearchParams,
  facts: ApiFacts,
  sources: ApiSources,
): (() => ApiAnswer) | null {
  const views = () => viewsOf(sources.snapshot(), sources.serverStates);
  if (path === '/api/version') {
    return () => json({ Version: facts.version, Codename: 'portcullis', startDate: facts.startDate });
  }
  if (path === '/api/overview') return () => json(overview(views(), facts));
  if (path === '/api/rawdata') return () => json(rawData(views()));
  if (path === '/api/portcullis/status') return () => json(status(sources));
  const [, api, section, ...rest] = path.split('/');
  if (api !== 'api' || section === undefined) return null;
  if (section === 'entrypoints') {
    return lookUp(() => facts.entryPoints.map(entryPointView), 'entrypoint', rest, query);
  }
  // No certificate is served: an empty list is the truth.
  if (section === 'certificates') return lookUp(() => [], 'certificate', rest, query);
  const [kind, ...id] = rest;
  if (kind === undefined) return null;
  if (section === 'http' && Object.hasOwn(kinds, kind)) {
    const known = kind as keyof typeof kinds;
    return lookUp(() => views()[known], kinds[known], id, query);
  }
  const others = section === 'tcp' ? Object.keys(kinds) : section === 'udp' ? ['routers', 'services'] : [];
  // Traefik's dashboard and its exporters ask for these: an empty list is the truth.
  return others.includes(kind) ? lookUp(() => [], kind.slice(0, -1), id, query) : null;
}

function lookUp(
  items: () => readonly Listed[],
  word: string,
  id: readonly string[],
  query: URLSearchParams,
): (() => ApiAnswer) | null {
  if (id.length === 0) return () => list(items(), query);
  const name = decode(id.join('/'));
  if (name === null || name === '') return null;
  return () => {
    const found = items().find((item) => item.name === name);
    return found === undefined ? failure(404, `${word} not found: ${name.slice(0, 200)}`) : json(found);
  };
}

function status(sources: ApiSources): Record<string, unknown> {
  const { version, hash } = sources.snapshot();
  return { version, hash, workers: sources.workers(), diagnostics: sources.diagnostics() };
}

function readTarget(target: string, basePath: string): { path: string; query: URLSearchParams } | null {
  const mark = target.indexOf('?');
  const whole = mark === -1 ? target : target.slice(0, mark);
  if (!whole.startsWith(`${basePath}/`)) return null;
  const path = whole.slice(basePath.length);
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  return { path: trimmed, query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)) };
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
