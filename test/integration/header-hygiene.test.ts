// Names a server believes: no client gets one past the door, in any spelling, on any kind of route.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { isNodeEngine } from '../support/engine.ts';
import { type FrontDoor, openFrontDoor, type Seen, valuesOf } from '../support/front-door.ts';
import { requestText } from '../support/raw.ts';

const identity = ['X-User-Id', 'X-User-Role', 'X-Auth-Info'];
const forwarding = [
  ...['For', 'Proto', 'Host', 'Port', 'Server', 'Prefix', 'Uri', 'Method'].map(
    (name) => `X-Forwarded-${name}`,
  ),
  'X-Forwarded-Tls-Client-Cert',
  'X-Forwarded-Tls-Client-Cert-Info',
  'X-Forwarded-Anything',
  'X-Real-Ip',
  'Forwarded',
  'X-Original-Url',
  'X-Original-Uri',
  'X-Rewrite-Url',
];
const managed = [...identity, ...forwarding];
const tokenCharacters = Array.from("!#$%&'*+-.^_`|~");
const mark = '6.6.6.6';
/** The engine takes 100 header lines a request. */
const linesPerRequest = 60;

const upgrade = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const good = 'Authorization: good';
let fresh = 0;
/** Every kind of answer: from a server, from a cache, from inside. */
const routes: readonly (readonly [string, () => readonly string[], number])[] = [
  ['GET /health', () => [], 200],
  ['GET /api', () => [good], 200],
  ['GET /api', () => [], 401],
  ['GET /cached', () => [good], 200],
  ['GET /cached', () => [`Authorization: bad${++fresh}`], 401],
  ['GET /trusting', () => [good], 200],
  ['GET /trusting', () => [], 401],
  ['GET /old', () => [], 301],
  ['GET /nowhere', () => [], 503],
  ['GET /nothing', () => [], 404],
  ['GET /ws/a', () => upgrade, 101],
];

describe('header hygiene at the front door', () => {
  let door: FrontDoor;
  before(async () => {
    door = await openFrontDoor({
      routers: {
        custom: { rule: 'PathPrefix(`/custom`)', service: 'origin', middlewares: ['adds'], priority: 100 },
      },
      middlewares: { adds: { headers: { customRequestHeaders: { 'X-Added': 'by us' } } } },
    });
  });
  beforeEach(() => door.forget());
  after(() => door?.stop());

  /** Sends spoofed lines to every route; none of their values may arrive anywhere. */
  async function assertNoneArrives(lines: readonly string[]): Promise<void> {
    for (const [line, extra, status] of routes) {
      door.forget();
      const answer = await door.send(requestText(line, [...extra(), ...lines]), { quiet: 5 });
      assert.equal(answer.statuses[0], status, `${line} with ${lines[0]}`);
      for (const seen of [...door.origin, ...door.auth])
        assertClean(seen, `${line} with ${lines.length} lines from ${lines[0]}`);
    }
  }

  test('no spelling of a name the gateway manages passes, on any route', async () => {
    const lines: string[] = [];
    for (const name of managed) {
      for (const character of tokenCharacters) lines.push(`${name.replaceAll('-', character)}: ${mark}`);
      lines.push(`${name.toUpperCase()}: ${mark}`, `${name.toLowerCase()}: ${mark}`);
      lines.push(`${name}: `, `${name}: ${mark}`, `${name}: , ${mark}`);
    }
    for (let from = 0; from < lines.length; from += linesPerRequest) {
      await assertNoneArrives(lines.slice(from, from + linesPerRequest));
    }
  });

  test('no mixture of spellings passes either', async () => {
    const spelling = fc
      .tuple(fc.constantFrom(...managed), fc.array(fc.nat(), { minLength: 48, maxLength: 48 }))
      .map(([name, choices]) => Array.from(name, (char, i) => respell(char, choices[i] ?? 0)).join(''));
    const line = fc.tuple(spelling, fc.constantFrom(mark, `${mark}, 1`, '')).map((parts) => parts.join(': '));
    const property = fc.asyncProperty(
      fc.array(line, { minLength: 20, maxLength: linesPerRequest }),
      assertNoneArrives,
    );
    await fc.assert(property, { numRuns: 8 });
  });

  test('names that only look alike pass untouched', async () => {
    const lines = [
      'X-User-Idx: a',
      'X-User: b',
      'XUserId: c',
      'X-User--Id: d',
      'User-Id: e',
      'X-Forwardedfor: f',
      'X_Custom: g',
      'X.Custom: h',
    ];
    await door.ask('GET /health', lines);
    for (const line of lines) {
      const [name, value] = line.split(': ') as [string, string];
      assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], name), [value]);
    }
  });

  test('what the auth server says arrives once, whatever the client sends beside it', async () => {
    for (const target of ['/api', '/cached', '/cached', '/trusting']) {
      door.forget();
      await door.ask(`GET ${target}`, [
        good,
        'X-User-Id: 1',
        'x_user_id: 2',
        'X.User.Id: 3',
        'X-USER-ID: 4',
        'X-Auth.Info: 5',
      ]);
      const raw = door.origin[0]?.raw ?? [];
      assert.deepEqual(valuesOf(raw, 'x-user-id'), ['7']);
      assert.deepEqual(valuesOf(raw, 'x-user-role'), ['reader']);
      assert.deepEqual(named(raw, 'x-auth-info'), []);
    }
    assert.deepEqual(door.auth.length, 1);
  });

  test('a name the gateway adds survives being listed in Connection, in four spellings', async () => {
    const added = [
      'X-Forwarded-For',
      'X-Forwarded-Proto',
      'X-Forwarded-Host',
      'X-Forwarded-Port',
      'X-Forwarded-Server',
      'X-Real-Ip',
    ];
    for (const name of [...added, 'X-User-Id', 'X-User-Role', 'X-Added', 'Host', 'Content-Length']) {
      const spellings = [name, name.toLowerCase(), name.toUpperCase(), ` ${name.toLowerCase()} `];
      for (const spelling of spellings) {
        door.forget();
        const lines = [good, `Connection: close, ${spelling}`, 'Content-Length: 3'];
        const target = name === 'X-Added' ? '/custom' : '/api';
        const answer = await door.send(requestText(`POST ${target}`, lines, 'abc'));
        assert.deepEqual(answer.statuses, [200], spelling);
        assert.equal(valuesOf(door.origin[0]?.raw ?? [], name).length, 1, spelling);
      }
    }
  });

  test('what a client lists in Connection goes, and the list with it', async () => {
    await door.send(
      requestText('GET /health', [
        'Connection: X-Hop, close',
        'X-Hop: 1',
        'x-hop: 2',
        'X-Stay: 3',
        'Connection: x-more',
        'X-More: 4',
      ]),
    );
    const raw = door.origin[0]?.raw ?? [];
    assert.deepEqual(valuesOf(raw, 'x-hop'), []);
    assert.deepEqual(valuesOf(raw, 'x-more'), []);
    assert.deepEqual(valuesOf(raw, 'x-stay'), ['3']);
    assert.ok(!valuesOf(raw, 'connection').some((value) => /hop|more/i.test(value)));
  });

  test('a credential a client lists in Connection counts as not sent, to the auth server too', async () => {
    const answer = await door.send(requestText('GET /api', [good, 'Connection: close, authorization']));
    assert.deepEqual(answer.statuses, [401]);
    assert.deepEqual(door.origin, []);
  });

  test('a Connection list without end is refused', async () => {
    const answer = await door.send(requestText('GET /health', [`Connection: ${'a,'.repeat(20_000)}`]));
    assert.deepEqual(answer.statuses, [400]);
    assert.deepEqual(door.origin, []);
  });

  test('hop-by-hop headers end at the door, `TE: trailers` does not', async () => {
    const hop = [
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Proxy: http://evil.example',
      'Proxy-Authorization: Basic eDp5',
      'Proxy-Authenticate: Basic',
      'Trailer: X-T',
      'HTTP2-Settings: AAA',
      'Upgrade: h2c',
      'proxy_authorization: x',
      'Keep_Alive: x',
      'Transfer_Encoding: chunked',
      'Content_Length: 7',
      'Connection: keep-alive, TE',
    ];
    for (const te of ['trailers', 'Trailers', 'trailers, deflate;q=0.5', 'gzip, trailers']) {
      door.forget();
      await door.send(requestText('GET /health', [...hop, `TE: ${te}`]), { quiet: 20 });
      const raw = door.origin[0]?.raw ?? [];
      for (const line of hop.slice(0, -1)) {
        const name = (line.split(':')[0] as string).toLowerCase();
        assert.deepEqual(named(raw, name.replaceAll('_', '-')), [], name);
      }
      assert.deepEqual(valuesOf(raw, 'te'), ['trailers'], te);
    }
    door.forget();
    await door.send(requestText('GET /health', ['TE: gzip']), { quiet: 20 });
    assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], 'te'), []);
  });

  test('bytes beyond ASCII inside a value arrive as they were sent, and broken ones are refused', async () => {
    const broken = ['a\xe9b', 'a\xc3b', 'a\xed\xa0\x80b', 'a\xef\xbf\xbdb', 'a\xc0\xafb'];
    const arrive = ['M\xc3\xbcnchen 1', 'a\xe2\x82\xacb', 'a\xf0\x9f\x98\x80b', 'a\xc2\x80b'];
    // The node engine reads bytes, to which nothing is broken.
    if (isNodeEngine) arrive.push(...broken);
    for (const value of arrive) {
      door.forget();
      await door.ask('GET /health', [`X-Text: ${value}`]);
      assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], 'x-text'), [value]);
    }
    for (const value of isNodeEngine ? [] : broken) {
      door.forget();
      assert.deepEqual(
        (await door.ask('GET /health', [`X-Text: ${value}`])).statuses,
        [400],
        JSON.stringify(value),
      );
      assert.deepEqual(door.origin, []);
    }
  });
});

for (const strategy of ['keep', 'delete', 'reject'] as const) {
  test(`underscoreHeadersStrategy ${strategy} does with underscores what it says`, async (t) => {
    const door = await openFrontDoor({ entryPoint: { http: { underscoreHeadersStrategy: strategy } } });
    t.after(() => door.stop());
    const answer = await door.ask('GET /health', ['X_Plain: 1', 'X-Dash: 2']);
    assert.deepEqual(answer.statuses, [strategy === 'reject' ? 400 : 200]);
    assert.equal(door.origin.length, strategy === 'reject' ? 0 : 1);
    const raw = door.origin[0]?.raw ?? [];
    assert.deepEqual(valuesOf(raw, 'x_plain'), strategy === 'keep' ? ['1'] : []);
    door.forget();
    for (const name of ['X_User_Id', 'X_Forwarded_For', 'x_real_ip', 'Content_Length', 'Transfer_Encoding']) {
      await door.ask('GET /health', [`${name}: ${mark}`]);
    }
    for (const seen of door.origin) assertClean(seen, strategy);
    assert.equal((await door.ask('GET /health')).statuses[0], 200);
  });
}

function assertClean(seen: Seen, what: string): void {
  for (let i = 0; i < seen.raw.length; i += 2) {
    const [name, value] = [seen.raw[i] as string, seen.raw[i + 1] as string];
    assert.ok(!value.includes(mark), `${what}: ${name}: ${value} arrived`);
  }
  for (const name of managed) {
    assert.ok(named(seen.raw, name).length <= 1, `${what}: more than one ${name}`);
  }
}

/** Values of every name that a CGI-like server would take for `name`. */
function named(raw: readonly string[], name: string): string[] {
  return raw.filter((_, i) => i % 2 === 1 && fold(raw[i - 1] as string) === fold(name));
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '_');
}

function respell(char: string, choice: number): string {
  if (char === '-') return tokenCharacters[choice % tokenCharacters.length] as string;
  return choice % 2 === 0 ? char.toUpperCase() : char.toLowerCase();
}
