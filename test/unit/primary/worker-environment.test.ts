// Which variables a worker gets.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withheld } from '../../../src/primary/worker-environment.ts';

const env = {
  PATH: '/bin',
  TZ: 'UTC',
  LC_ALL: 'C',
  NODE_OPTIONS: '',
  NODE_AUTH_TOKEN: 'x',
  TRAEFIK_STATE_SECRET: 'x',
  traefik_workers: '2',
  OTEL_EXPORTER_OTLP_HEADERS: 'x',
  https_proxy: 'x',
  OWN: 'x',
};

test('what tunes Node and the C library passes, and nothing that might be secret', () => {
  assert.deepEqual(Object.keys(withheld(env, {})), [
    'NODE_AUTH_TOKEN',
    'TRAEFIK_STATE_SECRET',
    'traefik_workers',
    'OTEL_EXPORTER_OTLP_HEADERS',
    'https_proxy',
    'OWN',
  ]);
  assert.ok(Object.values(withheld(env, {})).every((value) => value === undefined));
});

test('the exporter of traces gets its variables, and a plugin those that the configuration names', () => {
  assert.deepEqual(Object.keys(withheld(env, { names: ['OWN'], traces: true })), [
    'NODE_AUTH_TOKEN',
    'TRAEFIK_STATE_SECRET',
    'traefik_workers',
  ]);
});
