// What metrics say of certificates that an authority gives, and of those it refuses: a whole gateway and pebble.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setAcmeStage } from '../support/acme-stage.ts';
import { eventually } from '../support/gateway.ts';
import { type Scrape, scrape, sumOf } from '../support/metrics.ts';
import { missingPebble } from '../support/pebble.ts';

const options = { skip: missingPebble, timeout: 120_000 };

test('states, failed tries in a row, and ends of certificates', options, async (context) => {
  const stage = await setAcmeStage(context, { blockedDomains: ['refused.test'], lifetime: 7200 });
  const gateway = await stage.start({
    static: stage.static({ metrics: { prometheus: {} } }),
    dynamic: stage.dynamic(['given.test', 'refused.test']),
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
