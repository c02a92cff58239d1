// Paths that mean one thing to a router and another to a server: here they mean the same to both, or are refused.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { type FrontDoor, openFrontDoor } from '../support/front-door.ts';
import { headerOf, requestText } from '../support/raw.ts';

const upgrade = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const publicPaths = ['/health', '/auth/login', '/ws/mcp-status'];
const joints = [
  '/ ../',
  ...String.raw`/ // /./ /../ /.. /. \ /..\ \..\ ; /;/ /..;/ /.;x/ ;x=1/../ /;/../`.split(' '),
  ...'%2f %2F %2f..%2f /%2e%2e/ /%2e./ /.%2E/ %2e%2e/ /..%2f %5c %5C..%5C /..%5c %5c../'.split(' '),
  ...'%00 %00/ /%00../ %3b /..%3b/ %3f ? ?/../ %23 %25 %252e%252e/ /%252e%252e/ %252f'.split(' '),
  ...'/%c0%ae%c0%ae/ %c0%af /..%c0%af %e0%80%af %u002f % %2 %zz /%2 %ff %20 /%20../ %09 %0d%0a'.split(' '),
  ...'/a/../../ /a/b/../../../ /.../ /....// /..../ /%2e%2e%2f ///../ /..// /@/ /:/ :80/ @api/'.split(' '),
  ...'/~/ /"/ /<>/ /{}/ /|/ /^/ /`/ /[]/ /*/ /,/'.split(' '),
];
const corpus = publicPaths.flatMap(around).filter((path) => path.startsWith('/'));

/** Ways from the public `path` to `/api` and back. */
function around(path: string): string[] {
  const name = path.slice(1);
  const spelled = `${path.slice(0, -1)}%${path.charCodeAt(path.length - 1).toString(16)}`;
  const found = [path.toUpperCase(), spelled, `/.${path}`, `/%2e${path}`, `/\\${path}`];
  for (const joint of joints) {
    found.push(`${path}${joint}`, `${path}${joint}api`, `${path}${joint}api/secret`, `${path}${joint}../api`);
    found.push(`/x${joint}..${path}`, `/api${joint}${name}`, `/api${joint}..${path}`, `${joint}${path}`);
  }
  return found;
}

describe('paths between the route and the server', () => {
  let door: FrontDoor;
  before(async () => {
    const free = Object.fromEntries(
      ['a', 'b', 'c'].map((name) => [
        name,
        { rule: `PathPrefix(\`/${name}\`)`, service: 'origin', middlewares: ['auth'] },
      ]),
    );
    door = await openFrontDoor({ routers: free });
  });
  beforeEach(() => door.forget());
  after(() => door?.stop());

  /** The target a server got for `target` from a client without a token; null when none did. */
  async function forwarded(target: string, headers: readonly string[] = []): Promise<string | null> {
    door.forget();
    const answer = await door.send(requestText(`GET ${target}`, headers), { quiet: 1 });
    const status = answer.statuses[0] ?? 0;
    assert.ok(status < 500 || status === 505, `${target} answers ${status}`);
    assert.ok(door.origin.length <= 1);
    return door.origin[0]?.target ?? null;
  }

  /** What reached a server without a token was public, is public when sent again, and stays as it is. */
  async function assertSettled(target: string): Promise<void> {
    const first = await forwarded(target);
    if (first === null) return;
    assert.ok(
      publicPaths.some((path) => first.startsWith(path.split('/', 2).join('/'))),
      `${target} became ${first}`,
    );
    assert.ok(
      !first
        .split('?')[0]
        ?.split('/')
        .some((segment) => segment === '..' || segment === '.'),
      `${target} became ${first}`,
    );
    assert.equal(await forwarded(first), first, `${target} became ${first}, which changes again`);
  }

  test('no path opens a protected route without a token, and what is forwarded would be routed the same', async () => {
    for (const target of corpus) await assertSettled(target);
  });

  test('nor does one that a server which decodes escapes and backslashes reads as protected', async () => {
    // One that decodes twice needs `allowEncodedPercent: false`, below.
    for (const target of corpus) {
      const seen = await forwarded(target);
      if (seen === null) continue;
      const read = resolve(decode(seen.split('?')[0] as string));
      assert.ok(!read.startsWith('/api'), `${target} became ${seen}, which a server may read as ${read}`);
    }
  });

  test('nor does any random one', async () => {
    const piece = fc.constantFrom('health', 'api', 'auth', 'login', 'ws', 'a', ...joints);
    const target = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => `/${pieces.join('')}`);
    await fc.assert(fc.asyncProperty(target, assertSettled), { numRuns: 400 });
  });

  test('a handshake gets the same path as a request', async () => {
    const tails = joints.filter((joint) => !joint.includes(' '));
    for (const target of tails.flatMap((joint) => [
      `/ws/a${joint}`,
      `/ws/a${joint}api`,
      `/ws${joint}..${joint}api`,
    ])) {
      const plain = await forwarded(target);
      const handshake = await forwarded(target, upgrade);
      assert.equal(handshake, plain, target);
    }
  });

  test('paths are forwarded as they are documented to be', async () => {
    for (const [sent, received] of [
      ['/health', '/health'],
      ['/health/', '/health/'],
      ['/health//a', '/health/a'],
      ['/health/./a', '/health/a'],
      ['/health/b/../a', '/health/a'],
      ['/health/%61', '/health/a'],
      ['/health/%7e', '/health/~'],
      ['/health/%2e%2e/health', '/health'],
      ['/health/a%2fb', '/health/a%2Fb'],
      ['/health/a%5cb', '/health/a%5Cb'],
      ['/health/a\\b', '/health/a%5Cb'],
      ['/health/a;b=c', '/health/a;b=c'],
      ['/health/%c3%a9', '/health/%C3%A9'],
      ['/health?a=1;b=2', '/health?a=1&b=2'],
      ['/health?a=%2e%2e/%2f', '/health?a=%2e%2e/%2f'],
      ['/health?a=/../api', '/health?a=/../api'],
      ['/health?a?b', '/health?a?b'],
      ['/health/%', null],
      ['/health/%2', null],
      ['/health/%zz', null],
      ['/health#/x', null],
      ['/health/é', null],
      ['/..', null],
      ['/health/..%2fapi', null],
      ['/health/..%5Capi', null],
      ['/health/..\\api', null],
      ['/health/%2e%2e;a=b/api', null],
      ['/health/.;/a', null],
      ['/health/..a;b/.c', '/health/..a;b/.c'],
      ['/health/...', '/health/...'],
      ['/health/{a|b}"<c>^`', '/health/%7Ba%7Cb%7D%22%3Cc%3E%5E%60'],
    ] as const) {
      assert.equal(await forwarded(sent), received, sent);
    }
  });

  test('redirects stay on the host that was asked for', async () => {
    for (const target of [
      '//evil.test',
      '/\\evil.test',
      '/%2f%2fevil.test',
      '/%5cevil.test',
      '/old//evil.test',
      '/old/\\evil.test',
      '/old%2f%2fevil.test',
      '/old/%0d%0aLocation:%20http://evil.test',
      '/old/@evil.test',
      '/old?//evil.test',
      '/old/..//evil.test',
    ]) {
      const answer = await door.send(requestText(`GET ${target}`), { quiet: 5 });
      const location = headerOf(answer.text, 'location');
      if (location !== null) assert.equal(new URL(location, 'http://app.test').hostname, 'app.test', target);
      assert.ok(answer.text.split('\r\n').filter((line) => /^location:/i.test(line)).length <= 1, target);
    }
  });
});

test('each encoded character that is not allowed answers 400, and no other does', async (t) => {
  const names = {
    Slash: '%2f',
    BackSlash: '%5C',
    NullCharacter: '%00',
    Semicolon: '%3b',
    Percent: '%25',
    QuestionMark: '%3F',
    Hash: '%23',
  };
  const entryPoint = (allowed: boolean) => ({
    http: {
      encodedCharacters: Object.fromEntries(
        Object.keys(names).map((name) => [`allowEncoded${name}`, allowed]),
      ),
    },
  });
  for (const allowed of [false, true]) {
    const door = await openFrontDoor({ entryPoint: entryPoint(allowed) });
    t.after(() => door.stop());
    for (const escape of Object.values(names)) {
      assert.deepEqual((await door.ask(`GET /health/a${escape}b`)).statuses, [allowed ? 200 : 400], escape);
      assert.deepEqual((await door.ask(`GET /health?a${escape}b`)).statuses, [200], escape);
    }
    assert.deepEqual((await door.ask('GET /health/%20%40')).statuses, [200]);
    assert.deepEqual((await door.ask('GET /health/a\\b')).statuses, [allowed ? 200 : 400]);
  }
});

test('with every encoded character refused, not even a server that decodes twice leaves its route', async (t) => {
  const names = ['Slash', 'BackSlash', 'NullCharacter', 'Semicolon', 'Percent', 'QuestionMark', 'Hash'];
  const encodedCharacters = Object.fromEntries(names.map((name) => [`allowEncoded${name}`, false]));
  const door = await openFrontDoor({ entryPoint: { http: { encodedCharacters } } });
  t.after(() => door.stop());
  for (const target of corpus) {
    door.forget();
    await door.send(requestText(`GET ${target}`), { quiet: 1 });
    for (const { target: seen } of door.origin) {
      const decoded = resolve(decode(decode(seen.split('?')[0] as string)));
      assert.ok(
        !decoded.startsWith('/api'),
        `${target} became ${seen}, which a server may read as ${decoded}`,
      );
    }
  }
});

test('without sanitizePath a path is routed and forwarded as it was sent', async (t) => {
  const door = await openFrontDoor({ entryPoint: { http: { sanitizePath: false } } });
  t.after(() => door.stop());
  for (const target of ['/health//a', '/health/../api', '/health/./a', '/health/..']) {
    for (const headers of [[], upgrade]) {
      door.forget();
      await door.send(requestText(`GET ${target}`, headers), { quiet: 5 });
      assert.equal(door.origin[0]?.target, target);
    }
  }
  door.forget();
  assert.deepEqual((await door.ask('GET //health')).statuses, [404]);
});

test('semicolons in a query are encoded when asked for', async (t) => {
  const door = await openFrontDoor({ entryPoint: { http: { encodeQuerySemicolons: true } } });
  t.after(() => door.stop());
  await door.ask('GET /health?a=1;b=2');
  assert.equal(door.origin[0]?.target, '/health?a=1%3Bb=2');
});

test('every redirect goes to the host that was asked for, or nowhere', async (t) => {
  const door = await openFrontDoor({
    entryPoint: { http: { redirections: { entryPoint: { to: ':8443', scheme: 'https', priority: 10 } } } },
    routers: {
      regex: { rule: 'PathPrefix(`/regex`)', service: 'origin', middlewares: ['slashed'], priority: 100 },
      host: { rule: 'PathPrefix(`/host`)', service: 'origin', middlewares: ['to-host'], priority: 100 },
    },
    middlewares: {
      slashed: { redirectRegex: { regex: '^https?://[^/]+/regex/(.*)$', replacement: '/$1' } },
      'to-host': { redirectRegex: { regex: '^http://([^/]+)/host/(.*)$', replacement: 'https://$1/$2' } },
    },
  });
  t.after(() => door.stop());
  const tails = [
    '/evil.test',
    '//evil.test',
    '\\evil.test',
    '/\\evil.test',
    '%2f%2fevil.test',
    '%5cevil.test',
    '%0d%0aX-Evil:%201',
    '@evil.test',
    '.evil.test',
    ':evil',
    '%09//evil.test',
    '?x=//evil.test',
    'x',
  ];
  let redirected = 0;
  for (const prefix of ['/regex/', '/host/', '/other/', '/']) {
    for (const tail of tails) {
      for (const host of [
        'app.test',
        'app.test:8090',
        'evil.test@app.test',
        'app.test/evil',
        'app.test\\@evil.test',
        'app.test,evil.test',
      ]) {
        const answer = await door.send(
          requestText(`GET ${prefix}${tail}`, [
            `Host: ${host}`,
            'X-Forwarded-Host: evil.test',
            'Connection: close',
          ]),
          { quiet: 5 },
        );
        assert.ok(!/^x-evil/im.test(answer.text));
        const location = headerOf(answer.text, 'location');
        if (location === null) continue;
        redirected += 1;
        assert.match(host, /^app\.test(:8090)?$/);
        const to = new URL(location, `http://${host}`);
        assert.equal(to.hostname, 'app.test', `${prefix}${tail} at ${host} goes to ${location}`);
        assert.equal(to.username, '', location);
      }
    }
  }
  assert.ok(redirected > 50, String(redirected));
});

/** As a careless server reads a path: escapes of ASCII, backslashes and path parameters. */
function decode(path: string): string {
  return path.replaceAll(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function resolve(path: string): string {
  const kept: string[] = [];
  for (const segment of path
    .replaceAll('\\', '/')
    .replaceAll(/;[^/]*/g, '')
    .split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
