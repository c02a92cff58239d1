// Nanoseconds of the walk through the middlewares, from router to answer: `node bench/micro/pipeline.bench.ts`.

import type { Exchange } from '../../src/proxy/exchange.ts';
import { CONTINUE, type Hooks } from '../../src/proxy/hooks.ts';
import { serve } from '../../src/proxy/pipeline.ts';
import { answer } from '../../src/proxy/pipeline.ts';
import type { Route } from '../../src/proxy/runtime/route.ts';
import type { Runtime } from '../../src/proxy/runtime/runtime.ts';
import { compileRule } from '../../src/rules/compile.ts';
import { build, exchange } from '../../test/unit/proxy/middlewares/workbench.ts';
import { bench } from './run.ts';

const nothing: Hooks = { request: () => CONTINUE, response: () => undefined };
const headers = build('headers', { customRequestHeaders: { 'X-Env': 'bench' }, frameDeny: true }).hooks;
const prefix = build('addPrefix', { prefix: '/v1' }).hooks;
const strip = build('stripPrefix', { prefixes: ['/api'] }).hooks;

bench('an Exchange, for comparison', () => exchange({ path: '/api/users/17' }));
walk('no middleware', []);
walk(
  '5 that do nothing',
  Array.from({ length: 5 }, () => nothing),
);
walk(
  '20 that do nothing',
  Array.from({ length: 20 }, () => nothing),
);
walk('headers, stripPrefix, addPrefix', [headers, strip, prefix]);

function walk(title: string, middlewares: readonly Hooks[]): void {
  const route = routeOf(middlewares);
  const runtime = { routeOf: () => route } as unknown as Runtime;
  bench(title, () => {
    const x = exchange({ path: '/api/users/17' });
    serve(x, runtime);
    return x;
  });
}

function routeOf(middlewares: readonly Hooks[]): Route {
  const rule = compileRule('PathPrefix(`/`)', 'v3');
  if (!rule.ok) throw new Error(rule.error.message);
  const has = middlewares.length > 0;
  return {
    name: 'bench@file',
    rule: rule.rule,
    priority: 1n,
    depth: middlewares.length,
    request: has ? middlewares.map((hooks) => hooks.request ?? null) : null,
    response: has ? middlewares.map((hooks) => hooks.response ?? null) : null,
    end: null,
    broken: null,
    accessLogs: false,
    service: {
      name: 'bench@file',
      setServerUp() {},
      isUp: () => true,
      handle(x: Exchange) {
        x.answer(200, ['content-type', 'text/plain'], 'ok');
        answer(x);
      },
    } as unknown as Route['service'],
  };
}
