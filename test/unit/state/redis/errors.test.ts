// What is told of Redis's errors and of its comings and goings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RedisSettings } from '../../../../src/model/redis.ts';
import { reasonOf } from '../../../../src/state/redis/errors.ts';
import { pauseBefore, singleOptions } from '../../../../src/state/redis/options.ts';
import { Reachability } from '../../../../src/state/redis/reachability.ts';

const settings: RedisSettings = {
  endpoints: Array.from({ length: 7 }, (_, i) => ({ host: 'redis', port: 7000 + i })),
  username: 'me',
  password: 'canary',
  db: 0,
  tls: null,
  sentinel: null,
  cluster: true,
  keyPrefix: 'portcullis',
};

test('a reason is short and holds neither arguments nor secrets', () => {
  const unknown = new Error("ERR unknown command 'X', with args beginning with: 'private'");
  assert.equal(reasonOf(unknown), "ERR unknown command 'X'");
  assert.equal(reasonOf(new Error('no canary here, canary'), ['canary', null, '']), 'no … here, …');
  assert.equal(reasonOf(new Error('x'.repeat(1000))).length, 300);
  assert.equal(reasonOf('text'), 'unknown');
});

test('the reason of an error without words is looked for inside', () => {
  const inner = new Error('connect ECONNREFUSED ::1:6379');
  assert.equal(reasonOf(new AggregateError([inner])), inner.message);
  const cluster = Object.assign(new Error('Failed.'), { lastNodeError: inner });
  assert.equal(reasonOf(cluster), `Failed. ${inner.message}`);
});

test('a change is one line, whatever happens between', () => {
  const lines: string[] = [];
  const told = (fields: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const reachability = new Reachability(settings, { info: told, warn: told });
  reachability.reached();
  reachability.reached();
  for (let i = 0; i < 100; i += 1) reachability.lost(new Error(i % 2 === 0 ? 'closed canary' : 'refused'));
  reachability.reached();
  assert.equal(lines.length, 3);
  assert.match(lines[1] as string, /redis:7004,…/);
  assert.match(lines[1] as string, /closed …/);
});

test('pauses between tries grow to a second and no further', () => {
  for (let times = 1; times < 2000; times += 1) {
    const pause = pauseBefore(times);
    assert.ok(pause >= 40 && pause <= 1000, `${times}: ${pause}`);
    if (times > 6) assert.ok(pause >= 800);
  }
});

test('nothing is queued while there is no connection, and nothing sent twice', () => {
  const options = singleOptions({ ...settings, cluster: false }, true);
  assert.equal(options.enableOfflineQueue, false);
  assert.equal(options.autoResendUnfulfilledCommands, false);
  assert.equal(options.maxRetriesPerRequest, 0);
});
