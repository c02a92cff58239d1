// Bounds at the front door, and that reaching one costs nobody else anything.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNodeEngine } from '../support/engine.ts';
import { openFrontDoor } from '../support/front-door.ts';
import { requestText } from '../support/raw.ts';

test('a header section over maxHeaderBytes answers 431 and closes', async (t) => {
  const door = await openFrontDoor({ entryPoint: { http: { maxHeaderBytes: 4096 } } });
  t.after(() => door.stop());
  // As with Go's HTTP library, 4,096 bytes above the limit still pass.
  const fits = await door.send(requestText('GET /health', [`X-Long: ${'a'.repeat(7_000)}`]));
  assert.deepEqual(fits.statuses, [200]);
  door.forget();
  for (const length of [8_400, 12_000, 100_000]) {
    const answer = await door.send(requestText('GET /health', [`X-Long: ${'a'.repeat(length)}`]));
    assert.ok(
      answer.statuses.length <= 1 && answer.statuses.every((status) => status === 431),
      String(length),
    );
    assert.equal(answer.closed, true);
  }
  const many = await door.send(
    requestText(
      'GET /health',
      // The fast engine reads a hundred lines, the other one a thousand.
      Array.from({ length: isNodeEngine ? 1_100 : 150 }, (_, i) => (isNodeEngine ? `X: ` : `X-${i}: a`)),
    ),
  );
  assert.deepEqual(many.statuses, [431]);
  assert.equal(many.closed, true);
  assert.deepEqual(door.origin, []);
});

test('the longest targets and lists a client can send are worked off at once', async (t) => {
  const door = await openFrontDoor();
  t.after(() => door.stop());
  const long = 900_000;
  const started = performance.now();
  for (const target of [
    `/health${'/a'.repeat(long / 2)}`,
    `/health/${'a'.repeat(long)}`,
    `/health${'/..'.repeat(long / 3)}`,
    `/health/${'%2e'.repeat(long / 3)}`,
    `/health/${'%2f'.repeat(long / 3)}`,
    `/health?${';'.repeat(long)}`,
    `/health${'//'.repeat(long / 2)}\\`,
  ]) {
    const answer = await door.send(requestText(`GET ${target}`), { quiet: 10 });
    assert.equal(answer.statuses.length <= 1, true);
  }
  for (const header of [
    `Connection: ${'a,'.repeat(long / 2)}`,
    `TE: ${'a, '.repeat(long / 3)}`,
    `Connection: ${'close ,\t'.repeat(long / 8)}`,
    `X-${'_'.repeat(long)}: a`,
    `X-A: ${'\xc3\xa9'.repeat(long / 2)}b`,
  ]) {
    await door.send(requestText('GET /health', [header]), { quiet: 10, deadline: 3_000 });
  }
  assert.deepEqual((await door.ask('GET /health')).statuses, [200]);
  const took = performance.now() - started;
  assert.ok(took < 15_000, `took ${took} ms`);
  assert.ok(!door.gateway.logs().includes('"level":"fatal"'));
});
