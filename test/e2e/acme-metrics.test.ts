// What metrics say of certificates that an authority gives, and of those it refuses: a whole gateway and pebble.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDnsServer } from '../support/dns-server.ts';
import { eventually, freePorts, startGateway } from '../support/gateway.ts';
import { type Scrape, scrape, sumOf } from '../support/metrics.ts';
import { startOrigin } from '../support/origin.ts';
import { startPebble } from '../support/pebble.ts';

const isMissing = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',').includes('pebble');
const options = { skip: isMissing ? 'pebble is not installed' : false, timeout: 120_000 };

test('states, failed tries in a row, and ends of certificates', options, async (context) => {
  const dns = await startDnsServer();
  const [webPort] = (await freePorts(1)) as [number];
  const blockedDomains = ['refused.test'];
  const pebble = await startPebble({
    httpPort: webPort,
    dnsServer: dns.address,
    blockedDomains,
    lifetime: 7200,
  });
  const origin = await startOrigin();
  const names = ['given.test', 'refused.test'];
  const gateway = await startGateway({
    static: {
      entryPoints: { web: { address: `127.0.0.1:${webPort}` }, websecure: {} },
      metrics: { prometheus: {} },
      certificatesResolvers: {
        main: {
          acme: {
            email: 'someone@example.test',
            caServer: pebble.directory,
            caCertificates: [pebble.rootFile],
            keyType: 'EC256',
            storage: 'acme.json',
            httpChallenge: { entryPoint: 'web' },
          },
        },
      },
    },
    dynamic: {
      http: {
        routers: Object.fromEntries(
          names.map((host) => [
            host.replace('.', '-'),
            {
              rule: `Host(\`${host}\`)`,
              entryPoints: ['websecure'],
              service: 's',
              tls: { certResolver: 'main' },
            },
          ]),
        ),
        services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
      },
    },
  });
  context.after(async () => {
    await gateway.stop();
    await Promise.all([pebble.stop(), dns.close(), origin.stop()]);
  });

  let found: Scrape = await scrape(gateway.url('traefik'));
  const all = (name: string, ...labels: readonly string[]): number => sumOf(found, name, ...labels);
  await eventually(
    'one is given and one refused',
    async () => {
      found = await scrape(gateway.url('traefik'));
      const isGiven = all('portcullis_acme_certificates', 'state="valid"') === 1;
      return isGiven && all('portcullis_acme_failures', 'resolver="main"') >= 1;
    },
    60_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${found.text}\n${gateway.logs()}`);
  });
  assert.equal(all('portcullis_acme_certificates', 'resolver="main"'), 2);
  assert.equal(all('portcullis_acme_certificates', 'resolver="main"', 'state="valid"'), 1);
  const sans = 'sans="given.test"';
  const left = all('portcullis_certificate_remaining_seconds', sans);
  assert.ok(left > 6000 && left <= 7200, String(left));
  assert.ok(Math.abs(all('portcullis_certificate_lifetime_seconds', sans) - 7200) < 10);
  const ends = all('traefik_tls_certs_not_after', sans);
  assert.ok(Math.abs(ends - Date.now() / 1000 - left) < 30, String(ends));
  assert.doesNotMatch(found.text, /sans="refused\.test"/, 'there is no certificate for it');
});
