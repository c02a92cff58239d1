// The short way of usual header names is the long way of all others: same verdict, whatever came before.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeaderIntake, type HeaderScope } from '../../../../src/proxy/entrypoints/intake-headers.ts';
import {
  findKnown,
  isDropped,
  isForwarding,
  isFraming,
  type KnownName,
  knownNames,
  maxRememberedChars,
} from '../../../../src/proxy/entrypoints/known-names.ts';
import { foldName } from '../../../../src/proxy/headers.ts';

type Line = readonly [name: string, value: string];

const rules = { underscoreHeadersStrategy: 'keep', connection: [], maxHeaderBytes: 65_536 } as const;

function scopeOf(trusted: boolean, managed: readonly string[]): HeaderScope {
  return { trusted, managed: new Set(managed), bytes: 0, hosts: 0, nominated: '' };
}

function read(intake: HeaderIntake, lines: readonly Line[], scope: HeaderScope) {
  const into = intake.begin();
  for (const [name, value] of lines) intake.add(into, name, value, scope);
  intake.finish(into, scope);
  return into;
}

/** A string of its own, as the engine makes them. */
function fresh(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

test('every known name is found by another string of its letters, whatever came before it', () => {
  const befores: (KnownName | null)[] = [null, ...knownNames];
  for (const known of knownNames) {
    for (const before of befores) assert.equal(findKnown(fresh(known.name), before), known);
  }
});

test('a known name is its own folded spelling, and stands in the table once', () => {
  for (const { name } of knownNames) assert.equal(foldName(name), name);
  assert.equal(new Set(knownNames.map((known) => known.name)).size, knownNames.length);
  assert.deepEqual(
    knownNames.map((known) => known.index),
    knownNames.map((_, index) => index),
  );
});

test('other names are not found, and one that is like a known one neither', () => {
  for (const name of ['', 'x', 'x-user-id', 'user_agent', 'user-agens', 'hosts', 'cookie2', '\xff']) {
    for (const before of [null, ...knownNames]) assert.equal(findKnown(name, before), null, name);
  }
});

test('what is known is kept, dropped or believed as any other name of its kind would be', () => {
  for (const known of knownNames) {
    if (known.action === isFraming) continue;
    for (const trusted of [false, true]) {
      for (const isManaged of [false, true]) {
        const scope = scopeOf(trusted, isManaged ? [known.name] : ['x-user-id']);
        const { headers } = read(new HeaderIntake(rules), [[fresh(known.name), 'v']], scope);
        const isKept = !isManaged && known.action !== isDropped && (known.action !== isForwarding || trusted);
        assert.deepEqual(headers, isKept ? [known.name, 'v'] : [], known.name);
      }
    }
  }
});

test('a change of the identity headers counts from the next line on', () => {
  const intake = new HeaderIntake(rules);
  const lines: Line[] = [['user-agent', 'a']];
  assert.deepEqual(read(intake, lines, scopeOf(false, [])).headers, ['user-agent', 'a']);
  assert.deepEqual(read(intake, lines, scopeOf(false, ['user-agent'])).headers, []);
  assert.deepEqual(read(intake, lines, scopeOf(false, [])).headers, ['user-agent', 'a']);
});

test('no value is taken for safe because another one was', () => {
  const intake = new HeaderIntake(rules);
  assert.equal(read(intake, [['accept', 'text/html']], scopeOf(false, [])).refuse, 0);
  for (const value of ['text/html\x00', 'text/htm\x0a', '\ufffd']) {
    for (let again = 0; again < 2; again++) {
      assert.equal(read(intake, [['accept', value]], scopeOf(false, [])).refuse, 400);
    }
  }
  // Two chars on the wire, one string with both readings: restored each time.
  for (let again = 0; again < 2; again++) {
    assert.deepEqual(read(intake, [['accept', '\xe9']], scopeOf(false, [])).headers, ['accept', '\xc3\xa9']);
  }
});

test('no secret and nothing long is remembered', () => {
  const intake = new HeaderIntake(rules);
  const long = 'a'.repeat(maxRememberedChars + 1);
  const lines: Line[] = [
    ['authorization', 'Bearer secret'],
    ['cookie', 'session=secret'],
    ['proxy-authorization', 'secret'],
    ['referer', long],
  ];
  read(intake, lines, scopeOf(false, []));
  for (const { lastSafe } of knownNames) assert.ok(lastSafe !== long && !lastSafe.includes('secret'));
});

test('an intake that has seen other requests reads like a new one', () => {
  const names = fc.oneof(
    fc.constantFrom(...knownNames.map((known) => known.name)),
    fc.constantFrom('x-user-id', 'x_real_ip', 'x-forwarded-user', 'x.user.id', '', 'x-a'),
    fc.stringMatching(/^[a-z_.-]{1,12}$/),
  );
  const values = fc.oneof(
    fc.constantFrom(
      '',
      'a',
      'close',
      'keep-alive',
      'x-a, te',
      'upgrade',
      'websocket',
      '12',
      'chunked',
      '\xe9',
      'a\x00',
    ),
    fc.string({ maxLength: 20 }),
  );
  const section = fc.array(fc.tuple(names, values), { maxLength: 12 });
  const used = new HeaderIntake(rules);
  fc.assert(
    fc.property(
      section,
      fc.boolean(),
      fc.subarray(['x-user-id', 'accept', 'cookie']),
      (lines, trusted, managed) => {
        const copy = lines.map(([name, value]): Line => [fresh(name), value]);
        const one = read(used, copy, scopeOf(trusted, managed));
        const other = read(new HeaderIntake(rules), copy, scopeOf(trusted, managed));
        assert.deepEqual(one, other);
      },
    ),
    { numRuns: 1_000 },
  );
});
