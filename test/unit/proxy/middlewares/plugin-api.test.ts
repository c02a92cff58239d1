// The types that plugins are written against are a part of what the gateway really hands them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BuildDeps, MiddlewareDefinition } from '../../../../src/proxy/middlewares/define.ts';
import type { Exchange } from '../../../../src/proxy/exchange.ts';
import type { Hooks } from '../../../../src/proxy/hooks.ts';
import * as hooks from '../../../../src/proxy/hooks.ts';
import type * as api from '../../../../src/proxy/middlewares/plugin/api.ts';
import * as kit from '../../../../src/proxy/middlewares/plugin/kit.ts';

// These are the test: a member that is missing, or is of another type, does not compile.
const given = {
  exchange: (x: Exchange): api.Exchange => x,
  deps: (deps: BuildDeps): api.BuildDeps => deps,
  hooks: (made: api.Hooks): Hooks => made,
  definition: (made: api.MiddlewareDefinition): MiddlewareDefinition => made,
};

test('what the gateway hands to plugins, and takes from them, fits the shipped types', () => {
  assert.deepEqual(Object.keys(given), ['exchange', 'deps', 'hooks', 'definition']);
});

test('the verdicts of the kit are the gateway’s own', () => {
  assert.deepEqual([kit.CONTINUE, kit.ANSWERED, kit.RETRY], [hooks.CONTINUE, hooks.ANSWERED, hooks.RETRY]);
});
