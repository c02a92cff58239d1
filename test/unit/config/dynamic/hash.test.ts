// The hash stands for behaviour: the same content has one hash, whatever order it came in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../../../src/config/dynamic/hash.ts';
import { entryPoint } from '../../../support/specs.ts';
import { resolveFiles } from './support.ts';

const objects = Array.from({ length: 6 }, (_, index) => [
  `    r${index}: { rule: "PathPrefix(\`/r${index}\`)", service: s${index}, middlewares: [m${index}] }`,
  `    s${index}: { loadBalancer: { servers: [{ url: "http://127.0.0.1:${8000 + index}" }] } }`,
  `    m${index}: { addPrefix: { prefix: /m${index} } }`,
]);

function file(order: readonly number[]): string {
  const part = (kind: number) => order.map((index) => objects[index]?.[kind]).join('\n');
  return `http:\n  routers:\n${part(0)}\n  services:\n${part(1)}\n  middlewares:\n${part(2)}\n`;
}

test('resolving twice gives the same hash, and so does any order of files and objects', () => {
  const all = objects.map((_, index) => index);
  const { hash } = resolveFiles({ 'a.yml': file(all) }).snapshot;
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal(resolveFiles({ 'a.yml': file(all) }).snapshot.hash, hash);
  const orders = fc.shuffledSubarray(all, { minLength: all.length });
  fc.assert(
    fc.property(orders, fc.integer({ min: 1, max: all.length - 1 }), fc.boolean(), (order, cut, flipped) => {
      const parts = [
        ['x.yml', file(order.slice(0, cut))],
        ['y.yml', file(order.slice(cut))],
      ] as const;
      const files = Object.fromEntries(flipped ? [...parts].reverse() : parts);
      assert.equal(resolveFiles(files).snapshot.hash, hash);
    }),
    { numRuns: 30 },
  );
});

test('what changes behaviour changes the hash', () => {
  const hashes = new Set([
    resolveFiles({ 'a.yml': file([0, 1]) }).snapshot.hash,
    resolveFiles({ 'a.yml': file([0]) }).snapshot.hash,
    resolveFiles({ 'a.yml': file([0, 1]).replace('/m0', '/mm') }).snapshot.hash,
    resolveFiles({ 'a.yml': file([0, 1]) }, { entryPoints: [entryPoint('other')] }).snapshot.hash,
    resolveFiles({ 'a.yml': file([0, 1]) }, { ping: 'web' }).snapshot.hash,
  ]);
  assert.equal(hashes.size, 5);
});

test('canonical JSON sorts keys, writes bigints as text and skips what is undefined', () => {
  assert.equal(canonicalJson({ b: 1n, a: [undefined, 'x'], c: undefined }), '{"a":[null,"x"],"b":"1"}');
});
