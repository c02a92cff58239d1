// X-Forwarded-* as intake leaves them.

import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { addForwarded, type ForwardedFacts } from '../../../../src/proxy/entrypoints/forwarded.ts';

const facts: ForwardedFacts = {
  peer: '192.0.2.7',
  authority: 'app.test:8080',
  scheme: 'http',
  isUpgrade: false,
  trusted: false,
};

function added(change: Partial<ForwardedFacts>, headers: string[] = []): Record<string, string> {
  addForwarded(headers, { ...facts, ...change });
  const pairs: [string, string][] = [];
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i] as string, headers[i + 1] as string]);
  assert.equal(new Set(pairs.map(([name]) => name)).size, pairs.length, 'a name stands there twice');
  return Object.fromEntries(pairs);
}

test('an untrusted peer gets all of them from its connection', () => {
  assert.deepEqual(added({}), {
    'x-real-ip': '192.0.2.7',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': '8080',
    'x-forwarded-host': 'app.test:8080',
    'x-forwarded-server': hostname(),
  });
});

test('protocol and port follow scheme and handshake', () => {
  for (const [scheme, isUpgrade, proto, port] of [
    ['http', false, 'http', '80'],
    ['https', false, 'https', '443'],
    ['http', true, 'ws', '80'],
    ['https', true, 'wss', '443'],
  ] as const) {
    const headers = added({ scheme, isUpgrade, authority: 'app.test' });
    assert.equal(headers['x-forwarded-proto'], proto);
    assert.equal(headers['x-forwarded-port'], port);
  }
});

test('a trusted peer’s own stand, and what it left out or empty is added', () => {
  const own = {
    'x-real-ip': '1.2.3.4',
    'x-forwarded-proto': 'https',
    'x-forwarded-port': '444',
    'x-forwarded-host': 'out.test',
  };
  const kept = added({ trusted: true }, Object.entries(own).flat());
  assert.deepEqual(kept, { ...own, 'x-forwarded-server': hostname() });

  const mended = added({ trusted: true, authority: 'app.test' }, [
    'x-forwarded-proto',
    'https',
    'x-real-ip',
    '',
    'x-forwarded-server',
    'other',
  ]);
  assert.deepEqual(mended, {
    'x-forwarded-proto': 'https',
    'x-real-ip': '192.0.2.7',
    'x-forwarded-server': hostname(),
    'x-forwarded-port': '443',
    'x-forwarded-host': 'app.test',
  });
});
