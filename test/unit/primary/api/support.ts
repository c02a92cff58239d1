// What the tests of the API share: a Snapshot with one of each, and a way to ask.

import assert from 'node:assert/strict';
import type { Diagnostic } from '../../../../src/model/diagnostic.ts';
import type { ApiAnswer, PurgeSelector } from '../../../../src/model/ipc.ts';
import type { MiddlewareSpec, Snapshot } from '../../../../src/model/snapshot.ts';
import { type Api, createApi } from '../../../../src/primary/api/api.ts';
import type { ApiFacts } from '../../../../src/primary/api/facts.ts';
import type { LiveNumbers } from '../../../../src/primary/live.ts';
import { entryPoint } from '../../../support/specs.ts';
import { router, service } from '../support.ts';
import { noTls } from '../../../../src/model/tls.ts';

const headers: MiddlewareSpec = {
  name: 'headers@file',
  provider: 'file',
  kind: 'headers',
  options: {
    customRequestHeaders: { Authorization: 'Bearer abc', 'X-Api-Key': 'k', 'X-Forwarded-Proto': 'a<b&c>' },
    accessControlAllowHeaders: ['Authorization'],
  },
  errors: [],
};
const auth: MiddlewareSpec = {
  name: 'auth@file',
  provider: 'file',
  kind: 'forwardAuth',
  options: {
    address: 'http://user:pass@auth:8000/validate',
    authResponseHeaders: ['X-User-Id'],
    tls: { ca: 'CA', cert: 'CERT', key: 'PEM', insecureSkipVerify: false },
    cache: { ttl: 1000, key: ['header:Authorization'] },
  },
  errors: [],
};
const basic: MiddlewareSpec = {
  name: 'basic@file',
  provider: 'file',
  kind: 'basicAuth',
  options: { users: ['bob:$apr1$x'] },
  errors: ['not supported'],
};

export const snapshot: Snapshot = {
  version: 7,
  hash: 'abc',
  routers: [
    router('a/b@file', { middlewares: ['auth@file', 'headers@file'], rule: 'Host(`x`) && PathPrefix(`/`)' }),
    router('broken@file', { errors: ['middleware "x@file" does not exist'] }),
    router('ping@internal', { service: 'ping@internal', priority: 9223372036854775807n }),
  ],
  middlewares: [auth, basic, headers],
  services: [
    service('api@file', ['http://10.0.0.1:80', 'http://10.0.0.2:80'], {
      headers: { Authorization: 'Basic x' },
    }),
    { kind: 'internal', name: 'ping@internal', provider: 'internal', target: 'ping', errors: [] },
  ],
  transports: [],
  tls: noTls,
};

/** What is wrong with it. */
export const found: readonly Diagnostic[] = [
  { severity: 'warning', code: 'a', message: 'odd', where: { source: 'f.yml', line: 3 } },
  { severity: 'error', code: 'b', message: 'wrong', where: { source: 'f.yml', line: 1 } },
];

export const purged: PurgeSelector[] = [];

export interface Options {
  readonly method?: string;
  readonly contentType?: string;
  readonly text?: string;
  readonly basePath?: string;
  readonly service?: 'dashboard';
  readonly facts?: Partial<ApiFacts>;
  readonly snapshot?: Snapshot;
  readonly live?: LiveNumbers;
}

export function ask(target: string, options: Options = {}): Promise<ApiAnswer> {
  const { method = 'GET', contentType = '', text = '', service: by = 'api' } = options;
  return apiOf(options)({ method, target, contentType, body: text, service: by });
}

/** So many requests at once to one API. */
export function flood(count: number, target: string): Promise<ApiAnswer[]> {
  const api = apiOf({});
  const request = { method: 'GET', target, contentType: '', body: '' };
  return Promise.all(Array.from({ length: count }, () => api(request)));
}

export function apiOf(options: Options): Api {
  return createApi(
    {
      version: '1.2.3',
      startDate: '2026-01-01T00:00:00Z',
      basePath: options.basePath ?? '',
      entryPoints: [entryPoint('web', { port: 80 }), entryPoint('admin', { port: 8080 })],
      providers: ['File'],
      accessLog: false,
      dashboard: true,
      dashboardName: '',
      disableDashboardAd: false,
      debug: false,
      staticConfig: { api: {} },
      ...options.facts,
    },
    {
      snapshot: () => options.snapshot ?? snapshot,
      serverStates: (name) => (name === 'api@file' ? new Map([['http://10.0.0.2:80', false]]) : null),
      workers: () => [{ pid: 1, state: 'running', version: 7 }],
      diagnostics: () => found,
      ...(options.live === undefined ? {} : { live: options.live }),
      purge: (selector) => {
        purged.push(selector);
        return Promise.resolve(5);
      },
    },
  );
}
export async function body(target: string, options: Options = {}): Promise<Record<string, unknown>> {
  const answer = await ask(target, options);
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body) as Record<string, unknown>;
}

export async function names(target: string): Promise<readonly string[]> {
  return (JSON.parse((await ask(target)).body) as { readonly name: string }[]).map((item) => item.name);
}

export function header(answer: ApiAnswer, name: string): string | undefined {
  const index = answer.headers.indexOf(name);
  return index === -1 ? undefined : answer.headers[index + 1];
}
