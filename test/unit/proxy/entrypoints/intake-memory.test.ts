// What intake remembers of earlier requests must never show in a later one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  HeaderIntake,
  type HeaderScope,
  type IntakeHeaders,
  type ManagedNames,
} from '../../../../src/proxy/entrypoints/intake-headers.ts';
import { findKnown, type KnownName, knownNames } from '../../../../src/proxy/entrypoints/known-names.ts';

interface Asked {
  readonly lines: readonly (readonly [string, string])[];
  readonly trusted: boolean;
  readonly managed: number;
}

const managedSets: readonly ManagedNames[] = [
  new Set<string>(),
  new Set(['x-user-id', 'authorization']),
  new Set(['cookie', 'x-forwarded-user', 'accept', 'user-agent']),
];
const rules = { underscoreHeadersStrategy: 'keep', connection: [], maxHeaderBytes: 10_000 } as const;

function take(intake: HeaderIntake, { lines, trusted, managed }: Asked): IntakeHeaders {
  const into = intake.begin();
  const scope: HeaderScope = {
    trusted,
    managed: managedSets[managed] as ManagedNames,
    bytes: 0,
    hosts: 0,
    nominated: '',
  };
  for (const [name, value] of lines) intake.add(into, name, value, scope);
  intake.finish(into, scope);
  return into;
}

const someNames = knownNames.map(({ name }) => name);
const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...someNames) },
  fc.constantFrom(
    'x-user-id',
    'x_user_id',
    'x.user.id',
    'x-forwarded-user',
    'accep',
    'acceptt',
    'cookie2',
    '',
  ),
  fc.constantFrom(...someNames).map((known) => known.replaceAll('-', '_')),
  fc.string({ maxLength: 12 }).map((text) => text.toLowerCase()),
);
const value = fc.oneof(
  fc.constantFrom('', 'close', 'keep-alive', 'upgrade', 'websocket', 'chunked', '5', 'cookie, accept', 'a'),
  fc.constantFrom(
    '\u00e9',
    '\ufffd',
    'a\rb',
    'a\nb',
    'a\0',
    '\u010a',
    '\u{1f600}',
    'a\tb',
    '\x7f',
    'x'.repeat(300),
  ),
  fc.string({ maxLength: 8 }),
);
const asked: fc.Arbitrary<Asked> = fc.record({
  lines: fc.array(fc.tuple(name, value), { maxLength: 10 }),
  trusted: fc.boolean(),
  managed: fc.nat(managedSets.length - 1),
});

test('a request is read the same whatever was read before it', () => {
  fc.assert(
    fc.property(asked, fc.array(asked, { maxLength: 5 }), (request, others) => {
      const expected = take(new HeaderIntake(rules), request);
      const intake = new HeaderIntake(rules);
      for (const other of others) take(intake, other);
      assert.deepEqual(take(intake, request), expected);
    }),
    { numRuns: Number(process.env['FUZZ'] ?? 2000) },
  );
});

test('no header that passes holds anything but bytes without line ends, or is a name that may not pass', () => {
  fc.assert(
    fc.property(asked, (request) => {
      const { headers, refuse } = take(new HeaderIntake(rules), request);
      if (refuse !== 0) return;
      const managed = managedSets[request.managed] as ManagedNames;
      for (let i = 0; i < headers.length; i += 2) {
        const folded = (headers[i] as string).replaceAll(/[^a-z0-9]/g, '-');
        assert.match(headers[i + 1] as string, /^[\t\x20-\x7e\x80-\xff]*$/);
        assert.ok(!managed.has(folded), folded);
        assert.ok(request.trusted || !folded.startsWith('x-forwarded-'), folded);
      }
    }),
    { numRuns: Number(process.env['FUZZ'] ?? 2000) },
  );
});

test('a name is found by itself alone, whichever was guessed', () => {
  let before: KnownName | null = null;
  fc.assert(
    fc.property(name, (asName) => {
      const found = findKnown(asName, before);
      assert.equal(found?.name ?? null, someNames.includes(asName) ? asName : null);
      if (found !== null) before = found;
    }),
    { numRuns: Number(process.env['FUZZ'] ?? 5000) },
  );
});
