// Where a redirect leads is a host that was configured or asked for, read as browsers read it: whatever stands in path,
// query, Host and forwarding headers.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { headerOf, requestText, sendRaw } from '../support/raw.ts';

const keptSeeds = [1, 20_260_314, -88_112];
const evil = 'evil.test';
const pieces = [
  ...`/ // /\\ \\ \\\\ \\/ %2f %2F%2f /%2f %5c /%5c @ : :80 . ; ? ?x=// # %23 %0d%0a %0a %00 %09 /%09/ %20 /%20/`.split(
    ' ',
  ),
  ...'%0d%0aLocation:%20//evil.test /.. /../ //.. /%2e%2e/ http: https: http:// javascript: & = a %c0%af'.split(
    ' ',
  ),
  evil,
  `/${evil}`,
  `//${evil}`,
];
const tails = [
  ...pieces.flatMap((piece) => [
    `${piece}${evil}`,
    `/${piece}${evil}`,
    `//${piece}${evil}/x`,
    `/a${piece}/${evil}`,
  ]),
  ...pieces.map((piece) => `/?next=${piece}${evil}`),
  // One that begins with a scheme names its own host, which no page can make a browser do.
].filter((tail) => tail.startsWith('/'));
const randomTail = fc.array(fc.constantFrom(...pieces), { maxLength: 7 }).map((parts) => parts.join(''));

/** Hosts that pass as themselves, and some that must not. */
const goodHosts = (name: string): readonly string[] => [name, `${name}:8090`, `${name}.`, name.toUpperCase()];
const badHosts = (name: string): readonly string[] => [
  `${evil}@${name}`,
  `${name}@${evil}`,
  `${name}/${evil}`,
  `${name}\\@${evil}`,
  `${name},${evil}`,
  `${name} ${evil}`,
  `${name}:80:${evil}`,
  `${name}?${evil}`,
  `${name}#${evil}`,
  `${name}%0d${evil}`,
  `${name}\t${evil}`,
];
const spoofed = [
  `X-Forwarded-Host: ${evil}`,
  `X-Forwarded-Prefix: //${evil}`,
  `X-Forwarded-Uri: //${evil}`,
  'X-Forwarded-Proto: javascript',
  'X-Forwarded-Port: 666',
  `X-Original-Url: //${evil}`,
  `Forwarded: host=${evil}`,
];

const toScheme = { redirectScheme: { scheme: 'https', permanent: true } };
const toPort = { redirectScheme: { scheme: 'https', port: '8443' } };
/** Each at `<name>.test`. */
const redirecting: Readonly<Record<string, object>> = {
  scheme: toScheme,
  port: toPort,
  path: { redirectRegex: { regex: '^https?://[^/]+/(.*)$', replacement: '/$1' } },
  whole: { redirectRegex: { regex: '^https?://[^/]+(/.*)$', replacement: '$1?x' } },
  host: { redirectRegex: { regex: '^http://([^/]+)(/.*)$', replacement: 'https://$1$2' } },
  fixed: { redirectRegex: { regex: '^http://[^/]+/(.*)$', replacement: 'https://fixed.test/$1' } },
  query: { redirectRegex: { regex: '^http://[^?]+\\?next=(.*)$', replacement: '$1' } },
  slashless: { redirectRegex: { regex: '^http://([^/]+)/(.*)$', replacement: 'http://$1:80/in/$2' } },
};

for (const engine of ['uws', 'node'] as const) {
  describe(`redirects on the ${engine} engine`, () => {
    let gateway: TestGateway;
    let auth: Origin;
    before(async () => {
      auth = await startOrigin({
        answer: (request, response) => answerLikeLogin(request.headers, response),
      });
      gateway = await startGateway({
        static: {
          entryPoints: {
            web: { engine },
            plain: { engine, http: { redirections: { entryPoint: { to: ':8443', scheme: 'https' } } } },
            raw: { engine, http: { sanitizePath: false } },
            trusting: { engine, forwardedHeaders: { insecure: true } },
            traefik: { engine },
          },
        },
        dynamic: configuration(auth.url),
      });
    });
    after(async () => {
      await gateway?.stop();
      await auth?.stop();
    });

    /** Host names `Location` leads to, as browsers read it; null: there was none. */
    async function leadsTo(
      entryPoint: string,
      target: string,
      lines: readonly string[],
    ): Promise<string | null> {
      const text = requestText(`GET ${target}`, [...lines, 'Connection: close']);
      const answer = await sendRaw(gateway.port(entryPoint), text, { quiet: 40, deadline: 2_000 });
      const found =
        answer.text
          .split('\r\n\r\n', 1)[0]
          ?.split('\r\n')
          .filter((line) => /^location:/i.test(line)) ?? [];
      assert.ok(found.length <= 1, `${target}: ${found.join()}`);
      assert.ok(!/(?:^|\n)(?:x-evil|set-cookie)/i.test(answer.text), target);
      const location = headerOf(answer.text, 'location');
      if (location === null) return null;
      const host = /^host: ([^\r\n]*)/im.exec(text)?.[1] ?? '';
      const url = URL.parse(location, `http://${host}${target.startsWith('/') ? target : '/'}`);
      assert.ok(url !== null && /^https?:$/.test(url.protocol), `${target}: ${location}`);
      assert.equal(url.username + url.password, '', `${target}: ${location}`);
      return url.hostname.replace(/\.$/, '');
    }

    async function assertStays(entryPoint: string, target: string, name: string): Promise<boolean> {
      let redirected = false;
      for (const host of [
        goodHosts(name)[target.length % 4] as string,
        badHosts(name)[target.length % 11] as string,
      ]) {
        const to = await leadsTo(entryPoint, target, [
          `Host: ${host}`,
          ...(entryPoint === 'trusting' ? [] : spoofed),
        ]);
        if (to === null) continue;
        redirected = true;
        assert.ok(goodHosts(name).includes(host), `${entryPoint} redirected Host ${host}`);
        assert.ok([name, 'fixed.test'].includes(to), `${entryPoint}: ${target} at ${host} leads to ${to}`);
      }
      return redirected;
    }

    test('redirectScheme and redirectRegex stay on the host that was asked for or configured', async () => {
      let redirected = 0;
      for (const name of Object.keys(redirecting)) {
        for (const [nth, tail] of tails.entries()) {
          // A query that names another site is what this one was configured to follow.
          if (name === 'query' && !/^\/?\?next=[/\\]/.test(tail)) continue;
          const target = name === 'query' ? `/${tail.replace(/^\//, '')}` : tail;
          const entryPoint = nth % 3 === 0 ? 'raw' : 'web';
          if (await assertStays(entryPoint, target, `${name}.test`)) redirected += 1;
        }
      }
      assert.ok(redirected > 300, String(redirected));
    });

    test('nor does any random path lead elsewhere', async () => {
      const names = Object.keys(redirecting).filter((name) => name !== 'query');
      const property = fc.asyncProperty(fc.constantFrom(...names), randomTail, async (name, tail) => {
        await assertStays('web', `/${tail}`, `${name}.test`);
        await assertStays('raw', `/${tail}`, `${name}.test`);
      });
      for (const seed of keptSeeds) await fc.assert(property, { seed, numRuns: 50 });
    });

    test('an entry point’s redirection to https stays on the host that was asked for', async () => {
      let redirected = 0;
      for (const tail of tails) if (await assertStays('plain', tail, 'any.test')) redirected += 1;
      assert.ok(redirected > 50, String(redirected));
    });

    test('the dashboard’s redirects are relative and stay', async () => {
      const starts = [
        '/dashboard',
        '',
        '/',
        '//dashboard',
        '/./dashboard',
        '/%64ashboard',
        `//${evil}/dashboard`,
        `/\\${evil}/dashboard`,
      ];
      const targets = [
        ...starts.map((path) => (path === '' ? '/' : path)),
        ...pieces.flatMap((piece) => [`/dashboard${piece}`, `/${piece}dashboard`, `/${piece}`]),
      ];
      let redirected = 0;
      for (const [entryPoint, host] of [
        ['traefik', 'gate.test'],
        ['web', 'board.test'],
        ['raw', 'board.test'],
      ] as const) {
        for (const target of targets) {
          const to = await leadsTo(entryPoint, target, [`Host: ${host}`, ...spoofed]);
          if (to === null) continue;
          redirected += 1;
          assert.equal(to, host, `${entryPoint}: ${target}`);
        }
      }
      assert.ok(redirected > 3, String(redirected));
    });

    test('a sign-in redirect that an auth server makes of what it is told leads to no other site', async () => {
      const allowed = ['login.test', '127.0.0.1'];
      let redirected = 0;
      for (const [nth, tail] of tails.entries()) {
        for (const style of ['echo', 'whole', 'query', 'kept', 'fixed']) {
          const name = `${style}.auth.test`;
          const host = (nth % 2 === 0 ? goodHosts(name)[nth % 4] : badHosts(name)[nth % 11]) as string;
          const to = await leadsTo('web', tail, [`Host: ${host}`, `X-Style: ${style}`, ...spoofed]);
          if (to === null) continue;
          redirected += 1;
          assert.ok(goodHosts(name).includes(host), host);
          assert.ok([...allowed, name].includes(to), `${style}: ${tail} leads to ${to}`);
        }
      }
      assert.ok(redirected > 100, String(redirected));
    });

    test('what a trusted proxy says of host and prefix is not made into a place to go', async () => {
      for (const name of Object.keys(redirecting).filter((one) => one !== 'query')) {
        for (const value of [evil, `//${evil}`, `${evil}/`, `a@${evil}`, `${evil}\\`]) {
          const lines = [
            `Host: ${name}.test`,
            `X-Forwarded-Host: ${value}`,
            `X-Forwarded-Prefix: ${value}`,
            `Forwarded: host=${value}`,
          ];
          const to = await leadsTo('trusting', '/a', lines);
          assert.ok(
            to === null || [`${name}.test`, 'fixed.test'].includes(to),
            `${name}: ${value} leads to ${to}`,
          );
        }
      }
    });
  });
}

/** As auth servers send people to sign in: of what they were told, without a look at it. */
function answerLikeLogin(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  response: { writeHead(status: number, headers: Record<string, string>): { end(): void } },
): void {
  const uri = String(headers['x-forwarded-uri']);
  const site = `${String(headers['x-forwarded-proto'])}://${String(headers['x-forwarded-host'])}`;
  const style = String(headers['x-style']);
  const location =
    style === 'whole' ? site + uri : style === 'query' ? `http://login.test/?rd=${site}${uri}` : uri;
  response.writeHead(style === 'fixed' ? 401 : 302, style === 'fixed' ? {} : { location }).end();
}

function configuration(auth: string): object {
  const router = (rule: string, service: string, ...middlewares: readonly string[]) => ({
    rule,
    service,
    middlewares,
  });
  const names = Object.keys(redirecting);
  const styles = ['echo', 'whole', 'query', 'kept', 'fixed'];
  return {
    http: {
      routers: {
        ...Object.fromEntries(names.map((name) => [name, router(`Host(\`${name}.test\`)`, 'nobody', name)])),
        ...Object.fromEntries(
          styles.map((name) => [name, router(`Host(\`${name}.auth.test\`)`, 'nobody', `auth-${name}`)]),
        ),
        board: router('Host(`board.test`) && PathPrefix(`/`)', 'dashboard@internal'),
      },
      middlewares: {
        ...redirecting,
        ...Object.fromEntries(
          styles.map((name) => [
            `auth-${name}`,
            {
              forwardAuth: {
                address: auth,
                trustForwardHeader: true,
                ...(name === 'kept' ? { preserveLocationHeader: true } : {}),
                ...(name === 'fixed' ? { authSigninURL: 'https://login.test/in' } : {}),
              },
            },
          ]),
        ),
      },
      services: { nobody: { loadBalancer: { servers: [] } } },
    },
  };
}
