// Builds middlewares from written options and runs their hooks on real Exchanges.

import { buildEntryPoint } from '../../../../src/proxy/entrypoints/entry-point.ts';
import { Exchange, type ExchangeRequest } from '../../../../src/proxy/exchange.ts';
import type { Hooks, Verdict } from '../../../../src/proxy/hooks.ts';
import type { BuildDeps } from '../../../../src/proxy/middlewares/define.ts';
import { findMiddleware } from '../../../../src/proxy/middlewares/catalogue.ts';
import { entryPoint as entryPointSpec } from '../../../support/specs.ts';

const entryPoint = buildEntryPoint(entryPointSpec('web'), () => undefined);

const downstream: ExchangeRequest['downstream'] = {
  respond() {},
  begin() {},
  write: () => true,
  finish() {},
  abort() {},
  onDrain: null,
  onAbort: null,
  aborted: false,
};

export function exchange(request: Partial<ExchangeRequest> = {}): Exchange {
  const authority = request.authority ?? 'example.org';
  return new Exchange({
    entryPoint,
    downstream,
    method: 'GET',
    scheme: 'http',
    authority,
    host: authority.replace(/:\d+$/, '').toLowerCase(),
    path: '/',
    routePath: request.path ?? '/',
    search: '',
    headers: [],
    peer: '192.0.2.1',
    trusted: false,
    isUpgrade: false,
    body: null,
    startedAt: 0,
    ...request,
  });
}

export interface Built {
  readonly hooks: Hooks;
  readonly warnings: readonly string[];
  request(x: Exchange): Verdict;
  response(x: Exchange): void;
}

/** Throws what the schema or the build throws. */
export function build(kind: string, options: unknown): Built {
  const definition = findMiddleware(kind);
  if (definition === null) throw new Error(`no middleware ${kind}`);
  const warnings: string[] = [];
  let slots = 0;
  const deps = {
    name: 'test@file',
    bootSecret: '00'.repeat(32),
    slot: () => slots++,
    keep: (_: string, create: () => unknown) => create(),
    log: {
      warn: (message: string) => warnings.push(message),
      error: (message: string) => warnings.push(message),
    },
  } as unknown as BuildDeps;
  const hooks = definition.build(definition.schema.parse(options), deps);
  return {
    hooks,
    warnings,
    request: (x) => (hooks.request === undefined ? 0 : (hooks.request(x) as Verdict)),
    response: (x) => void hooks.response?.(x),
  };
}
