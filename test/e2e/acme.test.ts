// Certificates by ACME in whole gateways, against pebble: from nothing to HTTPS, renewal under load, two nodes.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { type AcmeStage, setAcmeStage } from '../support/acme-stage.ts';
import { eventually, freePorts, type GatewayOptions, type TestGateway } from '../support/gateway.ts';
import { missingPebble } from '../support/pebble.ts';
import { makeAuthority } from '../support/pki.ts';
import { startRedis } from '../support/redis-server.ts';

const options = { skip: missingPebble, timeout: 120_000 };

/** One of the stage's, for two hosts unless said; what comes to `web` is sent on to HTTPS. */
function startRedirecting(
  stage: AcmeStage,
  options: Partial<GatewayOptions> & { readonly webPort?: number } = {},
): Promise<TestGateway> {
  const { static: more, webPort = stage.webPort, ...others } = options;
  const redirect = { entryPoint: { to: 'websecure', scheme: 'https' } };
  const web = { address: `127.0.0.1:${webPort}`, http: { redirections: redirect } };
  return stage.start({
    dynamic: stage.dynamic(['a.test', 'b.test']),
    ...others,
    static: stage.static({ entryPoints: { web, websecure: {} }, ...(more as object) }),
  });
}

interface Served {
  readonly names: string;
  readonly fingerprint: string;
  readonly isTrusted: boolean;
  readonly status: number;
}

/** One connection, one request. Rejects with what went wrong. */
function visit(port: number, host: string, ca: string): Promise<Served> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: host, ca, rejectUnauthorized: false });
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer within 5 s')));
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      const certificate: DetailedPeerCertificate = socket.getPeerCertificate(true);
      let head = '';
      socket.on('data', (chunk: Buffer) => {
        head += chunk.toString('latin1');
        const status = /^HTTP\/1\.1 (\d+) .*\r\n\r\n/s.exec(head)?.[1];
        if (status === undefined) return;
        resolve({
          names: certificate.subjectaltname ?? '',
          fingerprint: certificate.fingerprint256,
          isTrusted: socket.authorized,
          status: Number(status),
        });
        socket.destroy();
      });
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('close', () => reject(new Error('closed before an answer')));
  });
}

async function untilServed(gateway: TestGateway, host: string, root: string, ms = 30_000): Promise<Served> {
  let last: Served | null = null;
  await eventually(
    `${host} is served with a certificate of the authority`,
    async () => {
      last = await visit(gateway.port('websecure'), host, root).catch(() => null);
      return last?.isTrusted === true;
    },
    ms,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${gateway.logs()}`);
  });
  return last as unknown as Served;
}

test(
  'from nothing to certificates for two hosts within 30 s, while everything else is redirected',
  options,
  async (t) => {
    const stage = await setAcmeStage(t);
    const gateway = await startRedirecting(stage, { workers: 2 });
    const root = await stage.pebble.issuingRoot();
    const [a, b] = await Promise.all(['a.test', 'b.test'].map((host) => untilServed(gateway, host, root)));
    assert.equal(a?.status, 200);
    assert.match(a?.names ?? '', /DNS:a\.test/);
    assert.match(b?.names ?? '', /DNS:b\.test/);

    const redirected = await fetch(`${gateway.url('web')}/x`, { redirect: 'manual' });
    assert.equal(redirected.status, 301);
    assert.match(redirected.headers.get('location') ?? '', /^https:\/\/127\.0\.0\.1:\d+\/x$/);
    const unknown = await fetch(`${gateway.url('web')}/.well-known/acme-challenge/${'x'.repeat(43)}`);
    assert.equal(unknown.status, 404);

    assert.equal(statSync(join(gateway.dir, 'acme.json')).mode & 0o777, 0o600);
    const api = await fetch(`${gateway.url('traefik')}/api/portcullis/acme`);
    const states = (await api.json()) as { names: string[]; state: string; notAfter: number }[];
    assert.deepEqual(states.map(({ names, state }) => [names, state]).sort(), [
      [['a.test'], 'valid'],
      [['b.test'], 'valid'],
    ]);
    assert.doesNotMatch(gateway.logs(), /PRIVATE KEY/);
  },
);

test('a renewal under load costs no request and no handshake', options, async (t) => {
  const stage = await setAcmeStage(t, { lifetime: 15 });
  const gateway = await startRedirecting(stage, { workers: 2 });
  const root = await stage.pebble.issuingRoot();
  await untilServed(gateway, 'a.test', root);

  const port = gateway.port('websecure');
  const wrk = run('wrk', ['-t1', '-c8', '-d22s', '-H', 'Host: a.test', `https://127.0.0.1:${port}/`]);
  const seen = new Set<string>();
  const failed: string[] = [];
  let visits = 0;
  const until = performance.now() + 22_000;
  while (performance.now() < until) {
    visits += 1;
    const served = await visit(port, 'a.test', root).catch((error: Error) => error.message);
    if (typeof served === 'string') failed.push(served);
    else {
      seen.add(served.fingerprint);
      if (!served.isTrusted || served.status !== 200) failed.push(JSON.stringify(served));
    }
  }
  const output = await wrk;
  assert.deepEqual(failed, [], `${failed.length} of ${visits} visits`);
  assert.ok(seen.size >= 2, `certificates seen: ${seen.size}`);
  assert.match(output, /requests in/);
  assert.doesNotMatch(output, /Socket errors|Non-2xx/);
  t.diagnostic(
    `${visits} handshakes, ${seen.size} certificates; ${/\d+ requests in [\d.]+s/.exec(output)?.[0]}`,
  );
});

test('of two nodes with one Redis one orders, and both serve', options, async (t) => {
  const redis = await startRedis(t);
  const stage = await setAcmeStage(t);
  const [otherPort] = (await freePorts(1)) as [number];
  const state = { redis: { endpoints: [`127.0.0.1:${redis.port}`] } };
  const start = (webPort: number): Promise<TestGateway> =>
    startRedirecting(stage, { static: { state }, webPort });
  // The authority asks the first node alone: what the second offers must be answered there.
  const nodes = await Promise.all([start(stage.webPort), start(otherPort)]);
  const root = await stage.pebble.issuingRoot();
  for (const host of ['a.test', 'b.test']) {
    const [one, two] = await Promise.all(nodes.map((node) => untilServed(node, host, root)));
    assert.equal(one?.fingerprint, two?.fingerprint, host);
  }
  const orders = stage.pebble.output().match(/Issued certificate serial/gi) ?? [];
  assert.equal(orders.length, 2, 'one certificate for each of two hosts');
});

test('an acme.json that is there is served without a word to the authority', options, async (t) => {
  const authority = makeAuthority();
  const { cert, key } = authority.issue(['a.test']);
  authority.close();
  let calls = 0;
  const listener = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.after(() => listener.close());
  const { port } = listener.address() as { port: number };
  const stage = await setAcmeStage(t);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const file = join(process.env['TMPDIR'] ?? '/tmp', `acme-${process.pid}.json`);
  const stored = {
    domain: { main: 'a.test' },
    certificate: base64(cert),
    key: base64(key),
    Store: 'default',
  };
  writeFileSync(file, JSON.stringify({ main: { Account: null, Certificates: [stored] } }), { mode: 0o600 });
  const caServer = `https://127.0.0.1:${port}/dir`;
  const gateway = await startRedirecting(stage, {
    static: { certificatesResolvers: stage.resolvers({ storage: file, caServer }) },
    dynamic: stage.dynamic(['a.test']),
  });
  const served = await untilServed(gateway, 'a.test', authority.root, 5000);
  assert.equal(served.status, 200);
  assert.equal(calls, 0);
});

test(
  'an authority that is down stops nothing: the default certificate is served until it is back',
  options,
  async (t) => {
    const stage = await setAcmeStage(t);
    stage.pebble.pause();
    const gateway = await startRedirecting(stage);
    const served = await visit(gateway.port('websecure'), 'a.test', '');
    assert.equal(served.status, 200);
    assert.equal(served.isTrusted, false);
    stage.pebble.resume();
    await untilServed(gateway, 'a.test', await stage.pebble.issuingRoot(), 60_000);
  },
);

function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}
