// A certificate authority that stands still, dies or is not there while requests run.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startDnsServer } from '../support/dns-server.ts';
import { startLoad, startTested } from '../support/fault-stage.ts';
import { eventually, freePorts, type TestGateway } from '../support/gateway.ts';
import { startOrigin } from '../support/origin.ts';
import { type Pebble, startPebble } from '../support/pebble.ts';
import { tlsAsk } from '../support/tls-client.ts';

const isMissing = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',').includes('pebble');
const options = { skip: isMissing ? 'pebble is not installed' : false, timeout: 90_000 };

test(
  'an authority that stands still under load delays its certificate and nothing else',
  options,
  async (t) => {
    const stage = await setStage(t);
    stage.pebble.pause();
    const gateway = await stage.start();
    const clients = startLoad(t, gateway, { connections: 4, pause: 5 });
    await wait(3_000);
    await servesBy(gateway);
    assert.doesNotMatch(await states(gateway), /"valid"/);
    stage.pebble.resume();
    const took = await eventually(
      'the certificate',
      async () => /"valid"/.test(await states(gateway)),
      30_000,
    );
    await servesBy(gateway);
    await clients.stop();
    t.diagnostic(
      `${clients.answered()} answered, the certificate ${took.toFixed()} ms after the authority went on`,
    );
    assert.deepEqual([clients.losses, Object.keys(clients.statuses)], [[], ['200']]);
  },
);

test('an authority that dies under load is named, and what it gave before is served', options, async (t) => {
  const stage = await setStage(t);
  const gateway = await stage.start();
  const clients = startLoad(t, gateway, { connections: 4, pause: 5 });
  await eventually('the certificate', async () => /"valid"/.test(await states(gateway)), 30_000);
  await stage.pebble.stop();
  await gateway.writeDynamic(stage.dynamic(['a.test', 'b.test']));
  await eventually('the reason', async () => /"lastError":"[^"]/.test(await states(gateway)), 30_000);
  assert.match(await states(gateway), /"valid"/);
  await servesBy(gateway);
  await clients.stop();
  assert.deepEqual([clients.losses, Object.keys(clients.statuses)], [[], ['200']]);
});

interface Stage {
  readonly pebble: Pebble;
  dynamic(hosts: readonly string[]): object;
  start(): Promise<TestGateway>;
}

async function setStage(t: TestContext): Promise<Stage> {
  const dns = await startDnsServer();
  const [webPort] = (await freePorts(1)) as [number];
  const pebble = await startPebble({ httpPort: webPort, dnsServer: dns.address, badNonces: 0 });
  const origin = await startOrigin();
  t.after(() => Promise.all([pebble.stop(), dns.close(), origin.stop()]));
  const dynamic = (hosts: readonly string[]): object => ({
    http: {
      routers: {
        plain: { rule: 'PathPrefix(`/`)', service: 's', entryPoints: ['web'] },
        ...Object.fromEntries(
          hosts.map((host) => [
            host.replace('.', '-'),
            {
              rule: `Host(\`${host}\`)`,
              service: 's',
              entryPoints: ['websecure'],
              tls: { certResolver: 'main' },
            },
          ]),
        ),
      },
      services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
    },
  });
  const acme = {
    email: 'someone@example.test',
    caServer: pebble.directory,
    caCertificates: [pebble.rootFile],
    keyType: 'EC256',
    storage: 'acme.json',
    httpChallenge: { entryPoint: 'web' },
  };
  return {
    pebble,
    dynamic,
    start: () =>
      startTested(t, {
        workers: 2,
        static: {
          entryPoints: { web: { address: `127.0.0.1:${webPort}` }, websecure: {} },
          certificatesResolvers: { main: { acme } },
        },
        dynamic: dynamic(['a.test']),
      }),
  };
}

/** Over TLS, with whatever certificate there is. */
async function servesBy(gateway: TestGateway): Promise<void> {
  const request = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';
  assert.equal((await tlsAsk(gateway.port('websecure'), { servername: 'a.test' }, request)).status, 200);
}

async function states(gateway: TestGateway): Promise<string> {
  return await (await fetch(`${gateway.url('traefik')}/api/portcullis/acme`)).text();
}
