// An authority, a storage and strangers that mean harm, against a whole gateway with ACME: it goes on, and tells nothing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { acmeStates, certifiedRouters, mainResolver, servesTls } from '../support/acme-stage.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { openRaw } from '../support/wire.ts';

const options = { timeout: 90_000 };
const hmac = 'c2VjcmV0LWhtYWMtb2YtdGhlLWFjY291bnQ';

type Step = 'directory' | 'nonce' | 'account' | 'order' | 'authz' | 'other';
type Act = (response: ServerResponse, base: string) => void;

interface Ca {
  readonly url: string;
  readonly calls: Step[];
  /** What happens at a step; the rest is as it should be. */
  readonly acts: Map<Step, Act>;
}

const json =
  (value: unknown, headers: Record<string, string> = {}, status = 200): Act =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(value));
  };

/** Up to the authorisations, and as it is told from there. */
async function startCa(t: TestContext): Promise<Ca> {
  const calls: Step[] = [];
  const acts = new Map<Step, Act>();
  const steps = new Set<string>(['directory', 'nonce', 'account', 'order', 'authz']);
  const server = createServer((request, response) => {
    const [, name = ''] = (request.url ?? '').split('/');
    const step = (steps.has(name) ? name : 'other') as Step;
    calls.push(step);
    request.resume();
    response.on('error', () => {});
    response.setHeader('replay-nonce', 'abcdefghijklmnop');
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const act = acts.get(step) ?? usual(step, base);
    act(response, base);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/directory`, calls, acts };
}

function usual(step: Step, base: string): Act {
  if (step === 'directory')
    return json({
      newNonce: `${base}/nonce`,
      newAccount: `${base}/account`,
      newOrder: `${base}/order`,
      meta: { externalAccountRequired: true },
    });
  if (step === 'nonce') return (response) => void response.writeHead(200).end();
  if (step === 'account') return json({ status: 'valid' }, { location: `${base}/account/1` }, 201);
  if (step === 'order') return orderOf(['/authz/1'])(base);
  return json({ status: 'pending', identifier: { type: 'dns', value: 'a.test' }, challenges: [] });
}

const orderOf =
  (authorizations: readonly string[]) =>
  (base: string): Act =>
    json(
      {
        status: 'pending',
        authorizations: authorizations.map((path) => base + path),
        finalize: `${base}/finalize`,
      },
      { location: `${base}/status/1` },
      201,
    );

interface Stage {
  readonly gateway: TestGateway;
  readonly origin: Origin;
  readonly ca: Ca;
  /** The gateway serves, by TLS and in cleartext. */
  serves(): Promise<void>;
  /** Of the only certificate that is wanted. */
  lastError(): Promise<string>;
}

async function setStage(
  t: TestContext,
  acts: readonly (readonly [Step, Act])[] = [],
  changes: object = {},
): Promise<Stage> {
  const ca = await startCa(t);
  for (const [step, act] of acts) ca.acts.set(step, act);
  const origin = await startOrigin();
  const gateway = await startGateway({
    static: {
      log: { level: 'TRACE', format: 'json' },
      entryPoints: { web: {}, websecure: {} },
      certificatesResolvers: mainResolver({
        caServer: ca.url,
        eab: { kid: 'kid-1', hmacEncoded: hmac },
        ...changes,
      }),
    },
    dynamic: {
      http: {
        routers: {
          ...certifiedRouters(['a.test']),
          plain: {
            rule: 'PathPrefix(`/`)',
            entryPoints: ['web'],
            service: 'origin',
            middlewares: ['users'],
          },
        },
        middlewares: { users: { basicAuth: { users: ['u:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/'] } } },
        services: { origin: { loadBalancer: { servers: [{ url: origin.url }] } } },
      },
    },
  });
  t.after(async () => {
    await gateway.stop();
    await origin.stop();
  });
  return {
    gateway,
    origin,
    ca,
    serves: () => servesTls(gateway),
    lastError: async () => /"lastError":"((?:[^"\\]|\\.)*)"/.exec(await acmeStates(gateway))?.[1] ?? '',
  };
}

const rssOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

const attacks: readonly (readonly [what: string, step: Step, act: Act, error: RegExp])[] = [
  [
    'ten thousand authorisations',
    'order',
    (response, base) =>
      orderOf(Array.from({ length: 10_000 }, (_, i) => `/authz/${i}`))(base)(response, base),
    /more authorizations than there are names/,
  ],
  [
    'an authorisation for another name',
    'authz',
    json({
      status: 'pending',
      identifier: { type: 'dns', value: 'victim.test' },
      challenges: [{ type: 'http-01', status: 'pending', token: 'x'.repeat(43), url: 'http://127.0.0.1:1/' }],
    }),
    /no authorization/,
  ],
  [
    'a hundred megabytes',
    'order',
    (response) => {
      response.writeHead(201, { 'content-type': 'application/json' });
      const piece = Buffer.alloc(1024 * 1024, 0x20);
      let left = 100;
      const more = (): void => {
        while (left > 0 && !response.destroyed) {
          left -= 1;
          if (!response.write(piece)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    },
    /exceeds \d+ bytes/,
  ],
  [
    'a redirect to the machine’s own metadata',
    'order',
    (response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    /answered 302/,
  ],
  [
    'a directory of files',
    'directory',
    json({ newNonce: 'file:///etc/passwd', newAccount: 'file:///etc/passwd', newOrder: 'x' }),
    /no URL/,
  ],
];

for (const [what, step, act, error] of attacks) {
  test(`an authority that answers with ${what} is refused, and serving goes on`, options, async (t) => {
    const { gateway, serves, lastError } = await setStage(t, [[step, act]]);
    await eventually('a first try', async () => error.test(await lastError()), 20_000).catch(async () => {
      assert.match(await lastError(), error);
    });
    await serves();
    assert.ok(rssOf(gateway.pid) < 400);
  });
}

test(
  'pipes instead of storage and root certificate hold nothing up, neither serving nor the end',
  options,
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-pipes-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const pipes = ['acme.json', 'other.json.attempts.json', 'root.pem'].map((name) => join(folder, name));
    execFileSync('mkfifo', ['-m', '600', ...pipes]);
    const wrong = [
      [{ storage: pipes[0] }, /no file/],
      [{ storage: join(folder, 'other.json'), caCertificates: [pipes[2]] }, /root certificate/],
    ] as const;
    for (const [changes, error] of wrong) {
      const { gateway, serves, lastError } = await setStage(t, [], changes);
      await eventually('the reason', async () => error.test(await lastError()), 20_000);
      await serves();
      const began = performance.now();
      await gateway.stop();
      assert.ok(performance.now() - began < 15_000);
    }
  },
);

test(
  'strangers find nothing below the path of challenges, and no way round others’ routers',
  options,
  async (t) => {
    const { gateway, origin } = await setStage(t, [['directory', json({}, {}, 503)]]);
    const status = async (target: string, method = 'GET'): Promise<string> => {
      const client = await openRaw(gateway.port('web'));
      client.write(`${method} ${target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`);
      await client.until(/\r\n\r\n/);
      client.socket.end();
      const text = await client.closed();
      assert.doesNotMatch(text, /marker/, `${target} is reflected`);
      return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? '';
    };
    const base = '/.well-known/acme-challenge/';
    const token = `marker-${'x'.repeat(36)}`;
    for (const target of [token, '', '<marker>', `${token}/`, `${token}?marker`, '%6darker', `..%2f${token}`])
      assert.match(await status(base + target), /^40[04]$/, target);
    for (const method of ['HEAD', 'POST', 'PUT'])
      assert.match(await status(base + token, method), /^40[45]$/);
    // What leaves the path is the router's with the password, whatever it looked like.
    for (const target of [
      `${base}../../x`,
      `${base}..%2f..%2fx`,
      '/.well-known/acme-challenge',
      `/x${base}${token}`,
    ])
      assert.match(await status(target), /^40[014]$/, target);
    assert.equal(origin.requests.length, 0);
    assert.doesNotMatch(gateway.logs(), /marker-x/);
  },
);

test('ten thousand unknown tokens cost the primary next to nothing', options, async (t) => {
  const { gateway } = await setStage(t, [['directory', json({}, {}, 503)]]);
  const before = cpuOf(gateway.pid);
  const ask = async (round: number): Promise<void> => {
    for (let i = 0; i < 1000; i++) {
      const token = `${round}-${i}-`.padEnd(43, 'y');
      const { status } = await fetch(`${gateway.url('web')}/.well-known/acme-challenge/${token}`);
      assert.equal(status, 404);
    }
  };
  await Promise.all(Array.from({ length: 10 }, (_, round) => ask(round)));
  assert.ok(cpuOf(gateway.pid) - before < 1500, `${cpuOf(gateway.pid) - before} ms of CPU time`);
});

test(
  'no key, no HMAC and no key authorisation is in the log, the API, a command line or an environment',
  options,
  async (t) => {
    const token = 'q'.repeat(43);
    const challenge = { type: 'http-01', status: 'pending', token, url: 'http://127.0.0.1:1/' };
    const identifier = { type: 'dns', value: 'a.test' };
    const { gateway, lastError } = await setStage(t, [
      ['authz', json({ status: 'pending', identifier, challenges: [challenge] })],
    ]);
    await eventually('a failed try', async () => (await lastError()) !== '', 20_000);
    const account = readFileSync(join(gateway.dir, 'acme.json'), 'utf8');
    const key = /"PrivateKey": "([^"]{60,})"/.exec(account)?.[1]?.slice(100, 160) ?? '';
    assert.equal(key.length, 60);
    const seen = [gateway.logs()];
    const paths = [
      'rawdata',
      'overview',
      'tls/certificates',
      'certificates',
      'portcullis/acme',
      'portcullis/status',
    ];
    for (const path of [...paths, 'support-dump', 'entrypoints', 'version']) {
      const body = await (await fetch(`${gateway.url('traefik')}/api/${path}`)).arrayBuffer();
      const isPacked = new Uint8Array(body)[0] === 0x1f;
      seen.push(isPacked ? gunzipSync(body).toString('latin1') : Buffer.from(body).toString());
    }
    for (const pid of [gateway.pid, ...gateway.workerPids()])
      for (const name of ['cmdline', 'environ']) seen.push(readFileSync(`/proc/${pid}/${name}`, 'latin1'));
    for (const text of seen)
      for (const secret of [key, hmac, `${token}.`, 'BEGIN RSA', 'BEGIN EC', 'BEGIN PRIVATE'])
        assert.equal(text.includes(secret), false, `${secret.slice(0, 12)} in ${text.slice(0, 80)}`);
  },
);

/** Milliseconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
