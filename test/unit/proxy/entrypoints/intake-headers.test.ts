// Header sections line by line: what stays, what goes, what is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  HeaderIntake,
  type HeaderScope,
  type HygieneRules,
  type IntakeHeaders,
} from '../../../../src/proxy/entrypoints/intake-headers.ts';

const usual: HygieneRules = { underscoreHeadersStrategy: 'keep', connection: [], maxHeaderBytes: 8192 };

interface Facts {
  readonly rules?: Partial<HygieneRules>;
  readonly trusted?: boolean;
  readonly managed?: readonly string[];
}

function read(lines: readonly string[], facts: Facts = {}): IntakeHeaders {
  const intake = new HeaderIntake({ ...usual, ...facts.rules });
  const scope: HeaderScope = {
    trusted: facts.trusted ?? false,
    managed: new Set(facts.managed ?? ['x-user-id']),
    bytes: 0,
    hosts: 0,
    nominated: '',
  };
  const into = intake.begin();
  for (const line of lines) {
    const colon = line.indexOf(':');
    intake.add(into, line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim(), scope);
  }
  intake.finish(into, scope);
  return into;
}

test('framing headers are read and not passed on', () => {
  const got = read(['Host: a', 'Content-Length: 12', 'Connection: close', 'X-A: 1']);
  assert.deepEqual(got.headers, ['x-a', '1']);
  assert.equal(got.host, 'a');
  assert.equal(got.contentLength, 12);
  assert.equal(got.chunked, false);
  assert.equal(got.refuse, 0);
});

test('sections without one meaning are refused', () => {
  for (const lines of [
    ['Content-Length: 1', 'Content-Length: 1'],
    ['Content-Length: 1', 'Content-Length: 2'],
    ['Content-Length:'],
    ['Content-Length: +1'],
    ['Content-Length: 1, 1'],
    ['Content-Length: 1000000000000000'],
    ['Transfer-Encoding: identity'],
    ['Transfer-Encoding:'],
    ['Transfer-Encoding: chunked, chunked'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'Content-Length: 1'],
    ['Content-Length: 1', 'Transfer-Encoding: chunked'],
    ['Host: a', 'Host: a'],
    [': x'],
    ['X-A: a\x00b'],
    ['X-A: a\rb'],
    ['X-A: a\nb'],
    ['X-A: a\x7fb'],
    ['X-A: \ufffd'],
    [`Connection: ${'a,'.repeat(65)}`],
  ]) {
    assert.equal(read(lines).refuse, 400, JSON.stringify(lines));
  }
  assert.equal(read(['Transfer-Encoding: ChunKed']).refuse, 0);
  assert.equal(read([`X-A: ${'a'.repeat(8192)}`]).refuse, 431);
});

test('a handshake needs both Upgrade and its naming in Connection', () => {
  for (const [lines, isUpgrade] of [
    [['Upgrade: websocket', 'Connection: Upgrade'], true],
    [['Upgrade: WebSocket', 'Connection: keep-alive, upgrade'], true],
    [['Connection: upgrade', 'Upgrade: websocket'], true],
    [['Upgrade: websocket'], false],
    [['Connection: Upgrade'], false],
    [['Upgrade: h2c', 'Connection: Upgrade'], false],
    [['Upgrade: websocket', 'Connection: upgraded'], false],
  ] as const) {
    assert.equal(read(lines).isUpgrade, isUpgrade, JSON.stringify(lines));
  }
});

test('of TE only trailers stay, once', () => {
  for (const [lines, headers] of [
    [['TE: trailers'], ['te', 'trailers']],
    [
      ['TE: gzip, Trailers', 'TE: trailers', 'Connection: TE'],
      ['te', 'trailers'],
    ],
    [['TE: gzip'], []],
    [['TE: trailers;q=1'], []],
  ] as const) {
    assert.deepEqual(read(lines).headers, headers, JSON.stringify(lines));
  }
});

test('forwarding headers stay for a trusted peer only, and only under their own spelling', () => {
  const lines = [
    'X-Forwarded-For: 1',
    'X_Forwarded_For: 2',
    'X.Real.Ip: 3',
    'Forwarded: for=4',
    'X-Original-Url: /5',
  ];
  assert.deepEqual(read(lines).headers, []);
  assert.deepEqual(read(lines, { trusted: true }).headers, [
    'x-forwarded-for',
    '1',
    'forwarded',
    'for=4',
    'x-original-url',
    '/5',
  ]);
});

test('no client, trusted or not, sends an identity header', () => {
  for (const trusted of [false, true]) {
    assert.deepEqual(
      read(['X-User-Id: 1', 'x_user_id: 2', 'X.USER!ID: 3', 'X-User: 4'], { trusted }).headers,
      ['x-user', '4'],
    );
  }
});

test('what is named in Connection goes, but for what the gateway or the operator keeps', () => {
  const lines = [
    'Connection: x-a, X-B ,x-forwarded-for',
    'X-A: 1',
    'x-a: 2',
    'X-B: 3',
    'X-C: 4',
    'X-Forwarded-For: 5',
  ];
  assert.deepEqual(read(lines, { trusted: true }).headers, ['x-c', '4', 'x-forwarded-for', '5']);
  assert.deepEqual(read(lines, { rules: { connection: ['x-b'] } }).headers, ['x-b', '3', 'x-c', '4']);
});

test('underscores are kept, dropped or refused', () => {
  assert.deepEqual(read(['X_A: 1']).headers, ['x_a', '1']);
  assert.deepEqual(read(['X_A: 1', 'X-B: 2'], { rules: { underscoreHeadersStrategy: 'delete' } }).headers, [
    'x-b',
    '2',
  ]);
  assert.equal(read(['X_A: 1'], { rules: { underscoreHeadersStrategy: 'reject' } }).refuse, 400);
});

test('text beyond ASCII becomes the bytes it was sent as', () => {
  assert.deepEqual(read(['X-A: München €']).headers, ['x-a', Buffer.from('München €').toString('latin1')]);
});

test('no spelling of a managed name stays, however it is written and listed', () => {
  const separator = fc.constantFrom(...Array.from("!#$%&'*+-.^_`|~"));
  const name = fc
    .tuple(separator, separator, fc.boolean())
    .map(([a, b, upper]) => (upper ? `X${a}USER${b}ID` : `x${a}user${b}id`));
  const line = fc.oneof(
    name.map((text) => `${text}: spoofed`),
    name.map((text) => `Connection: ${text}`),
    fc.constant('X-Ok: fine'),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.boolean(), (lines, trusted) => {
      assert.ok(!read(lines, { trusted }).headers.includes('spoofed'));
    }),
  );
});
