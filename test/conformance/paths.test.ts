// The route that was chosen is the route of what the server reads, whatever kind of server it is; or the answer is 400.
// The rules are those of two platforms: public prefixes before a protected one, and before a protected rest.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { everyCharacter } from '../support/specs.ts';
import { readTarget } from '../../src/rules/target.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { pathPieces, readings, resolveDots } from '../support/path-readings.ts';
import { requestText, sendRaw } from '../support/raw.ts';

/** Runs that found something once, and are made again each time; a new one is printed when it fails. */
const keptSeeds = [1, 20_260_314, -1_204_339_512, 777_001];
const keptTargets = [
  '/health/%252e%252e/api',
  '/health%252f..%252fapi',
  '/health/..%253b/api',
  '/health/%c0%ae%c0%ae/api',
  '/health%c1%9c../api',
  '/health/.%09./api',
  '/health/..%3fx/api',
  '/cut%252e%252e/x',
  '/cut..%252fadmin',
  '/turned..%252fadmin',
];

type Route = 'ws' | 'api' | 'health' | 'oauth' | 'rest' | 'none';
const oauth = ['/register', '/authorize', '/token', '/callback', '/.well-known'];

/** The first platform: `app.test`. */
function routeOfApp(path: string): Route {
  if (path === '/ws/mcp-status') return 'ws';
  if (path.startsWith('/api')) return 'api';
  return path.startsWith('/health') ? 'health' : 'none';
}

/** The second: `mcp.test`, where all that is not named is protected. */
function routeOfMcp(path: string): Route {
  return oauth.some((prefix) => path.startsWith(prefix)) ? 'oauth' : 'rest';
}

const words = ['health', 'api', 'ws', 'mcp-status', 'token', '.well-known', 'admin', 'a', ''];
const target = fc
  .array(fc.oneof(fc.constantFrom(...words), fc.constantFrom(...pathPieces)), { minLength: 1, maxLength: 9 })
  .chain((tail) =>
    fc
      .constantFrom('/health', '/ws/mcp-status', '/token', '/.well-known', '')
      .map((head) => head + tail.join('')),
  )
  .map((path) => (path.startsWith('/') ? path : `/${path}`));

/** Ways out of `path` to `to`. */
function around(path: string, to: string): string[] {
  return [
    ...pathPieces.flatMap((piece) => [
      `${path}${piece}${to}`,
      `${path}${piece}../${to}`,
      `${path}/x${piece}${piece}${to}`,
      `/${to}${piece}..${path}`,
      `${piece.startsWith('/') ? '' : '/'}${piece}${path}`,
    ]),
    `/.${path}`,
    `/%2e${path}`,
    path.toUpperCase(),
  ];
}

test('of any path: whoever reads what is forwarded finds the route that was chosen', () => {
  const rules = { sanitizePath: true, encodedCharacters: everyCharacter };
  const check = (sent: string): void => {
    const read = readTarget(sent.split('?')[0] as string, rules);
    if (read === null) return;
    assertOneRoute(sent, read.path, routeOfApp(read.routePath), routeOfApp);
    assertOneRoute(sent, read.path, routeOfMcp(read.routePath), routeOfMcp);
  };
  for (const one of keptTargets) check(one);
  for (const path of ['/health', '/ws/mcp-status', ...oauth])
    for (const one of around(path, 'api')) check(one);
  for (const seed of keptSeeds) fc.assert(fc.property(target, check), { seed, numRuns: 5_000 });
  fc.assert(fc.property(target, check), { numRuns: 10_000 });
  const bytes = fc.stringMatching(
    /^\/(?:health|token)(?:[/.;\\%]|%2[eEfF5]|%5c|%3b|%00|%c0|%ae|api|[0-9a-f]){0,14}$/,
  );
  fc.assert(fc.property(bytes, check), { numRuns: 20_000 });
});

for (const engine of ['uws', 'node'] as const) {
  describe(`paths on the ${engine} engine`, () => {
    let gateway: TestGateway;
    let origin: Origin;
    let auth: Origin;
    before(async () => {
      origin = await startOrigin();
      auth = await startOrigin();
      gateway = await startGateway({
        static: { entryPoints: { web: { engine } } },
        dynamic: configuration(origin.url, auth.url),
      });
    });
    after(async () => {
      await gateway?.stop();
      await Promise.all([origin?.stop(), auth?.stop()]);
    });

    /** Route and path as the server was told of them; null: no server was. */
    async function forwarded(
      sent: string,
      host: string,
    ): Promise<{ readonly route: Route; readonly path: string } | null> {
      origin.requests.length = 0;
      const text = requestText(`GET ${sent}`, [`Host: ${host}`, 'Connection: close']);
      const { statuses } = await sendRaw(gateway.port('web'), text, { quiet: 40, deadline: 2_000 });
      assert.ok((statuses[0] ?? 400) < 500 || statuses[0] === 505, `${sent} answers ${statuses[0]}`);
      assert.ok(origin.requests.length <= 1);
      const [seen] = origin.requests;
      if (seen === undefined) return null;
      return { route: seen.headers['x-route'] as Route, path: seen.target.split('?')[0] as string };
    }

    async function assertSent(sent: string): Promise<void> {
      for (const [host, routeOf] of [
        ['app.test', routeOfApp],
        ['mcp.test', routeOfMcp],
      ] as const) {
        const seen = await forwarded(sent, host);
        if (seen !== null && seen.route in isPublicOrKnown)
          assertOneRoute(sent, seen.path, seen.route, routeOf);
      }
    }

    test('the corpus of hostile paths opens no other route than the one chosen', async () => {
      for (const one of keptTargets) await assertSent(one);
      let arrived = 0;
      for (const path of ['/health', '/ws/mcp-status']) {
        for (const one of around(path, 'api')) {
          const seen = await forwarded(one, 'app.test');
          if (seen === null) continue;
          arrived += 1;
          assertOneRoute(one, seen.path, seen.route, routeOfApp);
        }
      }
      for (const one of around('/.well-known', 'mcp')) {
        const seen = await forwarded(one, 'mcp.test');
        if (seen === null) continue;
        arrived += 1;
        assertOneRoute(one, seen.path, seen.route, routeOfMcp);
      }
      assert.ok(arrived > 150, String(arrived));
    });

    test('nor does any random path', async () => {
      for (const seed of keptSeeds)
        await fc.assert(fc.asyncProperty(target, assertSent), { seed, numRuns: 60 });
    });

    test('what is left after a prefix was cut or a path replaced is looked at again', async () => {
      let arrived = 0;
      for (const prefix of ['/cut', '/cut-regex', '/turned', '/turned-in']) {
        const tails = pathPieces.flatMap((piece) => [
          piece,
          `..${piece}`,
          `..${piece}admin`,
          `${piece}..${piece}admin`,
          `/x${piece}`,
        ]);
        for (const tail of [
          ...tails,
          '%252e%252e/admin',
          '%252e%252e%252fadmin',
          '%c0%ae%c0%ae%c0%afadmin',
        ]) {
          const sent = `${prefix}${tail}`;
          const seen = await forwarded(sent, 'cut.test');
          if (seen === null) continue;
          arrived += 1;
          for (const [kind, read] of Object.entries(readings)) {
            const path = read(seen.path);
            if (path === null) continue;
            assert.match(
              resolveDots(path),
              /^\/tenant/,
              `${sent} became ${seen.path}: ${kind} reads ${path}`,
            );
          }
        }
      }
      assert.ok(arrived > 100, String(arrived));
    });

    test('the authority that chose the route is the one the server is told', async () => {
      const targets = [
        'http://mcp.test/token',
        'http://mcp.test:80/token',
        'http://MCP.test./token',
        'HTTP://mcp.test/token',
        'https://mcp.test/token',
        'http://mcp.test@app.test/token',
        'http://app.test\\@mcp.test/token',
        'http://mcp.test#@app.test/token',
        'http://mcp.test?@app.test/token',
        'http:///token',
        'http://mcp.test,app.test/token',
        'http:mcp.test/token',
        '//mcp.test/token',
        'ftp://mcp.test/token',
        'http://mcp.test/../token',
        'http://mcp.test/health/../../token',
        'http://[::1]/token',
        'http://mcp.test:/token',
        '/token',
        '/health',
      ];
      let arrived = 0;
      for (const sent of targets) {
        for (const host of [
          'app.test',
          'mcp.test',
          'mcp.test.',
          'mcp.test:81',
          'APP.test',
          'app.test:80:80',
          'app.test/',
          '[mcp.test]',
        ]) {
          origin.requests.length = 0;
          const text = requestText(`GET ${sent}`, [`Host: ${host}`, 'Connection: close']);
          await sendRaw(gateway.port('web'), text, { quiet: 40, deadline: 2_000 });
          const [seen] = origin.requests;
          if (seen === undefined) continue;
          arrived += 1;
          const told = URL.parse(`http://${seen.headers.host}`)?.hostname.replace(/\.$/, '');
          const path = seen.target.split('?')[0] as string;
          const expected = told === 'mcp.test' ? routeOfMcp(path) : routeOfApp(path);
          assert.equal(
            seen.headers['x-route'],
            expected,
            `${sent} with Host ${host} arrived as ${seen.headers.host}${seen.target}`,
          );
          assert.equal(seen.headers['x-forwarded-host'], seen.headers.host);
        }
      }
      assert.ok(arrived > 5, String(arrived));
    });
  });
}

/** Routes of the two platforms. */
const isPublicOrKnown: Readonly<Record<string, true>> = {
  ws: true,
  health: true,
  oauth: true,
  api: true,
  rest: true,
};

/** What reached a server without a word of the auth server is read as nothing else by any of them. */
function assertOneRoute(sent: string, path: string, chosen: Route, routeOf: (path: string) => Route): void {
  if (chosen === 'api' || chosen === 'rest' || chosen === 'none') return;
  for (const [kind, read] of Object.entries(readings)) {
    const seen = read(path);
    if (seen === null) continue;
    const route = routeOf(seen);
    // An exact path that is read as another one is found by nobody.
    if (chosen === 'ws' && route === 'none') continue;
    assert.equal(route, chosen, `${sent} became ${path}, which chose ${chosen}: ${kind} reads ${seen}`);
  }
}

function configuration(origin: string, auth: string): object {
  const named = (route: Route): [string, object] => [
    `is-${route}`,
    { headers: { customRequestHeaders: { 'X-Route': route } } },
  ];
  const all: readonly Route[] = ['ws', 'api', 'health', 'oauth', 'rest'];
  const router = (rule: string, priority: number, ...middlewares: readonly string[]) => ({
    rule,
    priority,
    middlewares,
    service: 'origin',
  });
  return {
    http: {
      routers: {
        ws: router('Host(`app.test`) && Path(`/ws/mcp-status`)', 200, 'is-ws'),
        api: router('Host(`app.test`) && PathPrefix(`/api`)', 100, 'auth', 'is-api'),
        health: router('Host(`app.test`) && PathPrefix(`/health`)', 50, 'is-health'),
        oauth: router(
          `Host(\`mcp.test\`) && (${oauth.map((prefix) => `PathPrefix(\`${prefix}\`)`).join(' || ')})`,
          4,
          'is-oauth',
        ),
        rest: router('Host(`mcp.test`)', 2, 'auth', 'is-rest'),
        cut: router('Host(`cut.test`) && PathPrefix(`/cut`)', 1, 'cut', 'tenant'),
        'cut-regex': router('Host(`cut.test`) && PathPrefix(`/cut-regex`)', 2, 'cut-regex', 'tenant'),
        turned: router('Host(`cut.test`) && PathPrefix(`/turned`)', 1, 'turned'),
        'turned-in': router('Host(`cut.test`) && PathPrefix(`/turned-in`)', 2, 'turned-in'),
      },
      middlewares: {
        ...Object.fromEntries(all.map(named)),
        auth: {
          forwardAuth: { address: auth, trustForwardHeader: true, authResponseHeaders: ['X-User-Id'] },
        },
        tenant: { addPrefix: { prefix: '/tenant' } },
        cut: { stripPrefix: { prefixes: ['/cut'] } },
        'cut-regex': { stripPrefixRegex: { regex: ['/cut-regex'] } },
        turned: { replacePathRegex: { regex: '^/turned(.*)$', replacement: '/tenant/$1' } },
        'turned-in': { replacePathRegex: { regex: '^/turned-in/?(.*)$', replacement: '/tenant/in/$1' } },
      },
      services: { origin: { loadBalancer: { servers: [{ url: origin }] } } },
    },
  };
}
