// What servers learn about a client: X-Forwarded-* and X-Real-Ip, from trusted and untrusted peers.

import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type FrontDoor, openFrontDoor, valuesOf } from '../support/front-door.ts';
import { requestText } from '../support/raw.ts';

const spoofed = [
  'X-Forwarded-For: 1.2.3.4',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: evil.test',
  'X-Forwarded-Port: 8443',
  'X-Forwarded-Server: evil',
  'X-Forwarded-Prefix: /evil',
  'X-Forwarded-Uri: /health',
  'X-Forwarded-Method: OPTIONS',
  'X-Forwarded-Tls-Client-Cert: abc',
  'X-Forwarded-Tls-Client-Cert-Info: CN',
  'X-Real-Ip: 1.2.3.4',
];
const upgrade = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

describe('forwarding headers of an untrusted peer', () => {
  let door: FrontDoor;
  before(async () => {
    door = await openFrontDoor({
      entryPoint: { forwardedHeaders: { trustedIPs: ['10.0.0.0/8', '192.0.2.1'] } },
    });
  });
  beforeEach(() => door.forget());
  after(() => door?.stop());

  test('all are gone and made anew', async () => {
    await door.ask('GET /health', ['Host: app.test:81', ...spoofed]);
    assert.deepEqual(forwarded(door.origin[0]?.raw), {
      'x-forwarded-for': ['127.0.0.1'],
      'x-forwarded-host': ['app.test:81'],
      'x-forwarded-port': ['81'],
      'x-forwarded-proto': ['http'],
      'x-forwarded-server': [hostname()],
      'x-real-ip': ['127.0.0.1'],
    });
    assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], 'host'), ['app.test:81']);
  });

  test('the port is that of the Host header, or the scheme’s', async () => {
    for (const [host, port] of [
      ['app.test', '80'],
      ['app.test:8090', '8090'],
      ['[::1]', '80'],
      ['[::1]:8090', '8090'],
    ]) {
      door.forget();
      await door.ask('GET /health', [`Host: ${host}`]);
      assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], 'x-forwarded-port'), [port], host);
    }
  });

  test('a WebSocket handshake says ws to the server and http to the auth server', async () => {
    await door.send(requestText('GET /ws/a', [...upgrade, ...spoofed]), { quiet: 30 });
    assert.deepEqual(forwarded(door.origin[0]?.raw)['x-forwarded-proto'], ['ws']);
    await door.send(requestText('GET /api/ws', [...upgrade, 'Authorization: good']), { quiet: 30 });
    assert.deepEqual(forwarded(door.auth[0]?.raw)['x-forwarded-proto'], ['http']);
  });

  test('trustForwardHeader alone lets no client choose method, URI or address the auth server sees', async () => {
    for (const target of ['/trusting/x?a=1', '/api/x?a=1']) {
      door.forget();
      await door.ask(`POST ${target}`, [
        ...spoofed,
        'X_Forwarded_Uri: /health',
        'x.forwarded.method: GET',
        'Content-Length: 0',
      ]);
      const told = forwarded(door.auth[0]?.raw);
      assert.deepEqual(told['x-forwarded-for'], ['127.0.0.1']);
      assert.deepEqual(told['x-forwarded-method'], ['POST']);
      assert.deepEqual(told['x-forwarded-uri'], [target]);
      assert.deepEqual(told['x-forwarded-host'], ['app.test']);
      assert.deepEqual(told['x-forwarded-proto'], ['http']);
      assert.ok(!JSON.stringify(door.auth[0]?.raw).includes('1.2.3.4'));
      assert.ok(!JSON.stringify(door.auth[0]?.raw).includes('evil'));
    }
  });
});

for (const trust of [{ trustedIPs: ['127.0.0.1/32', '::1'] }, { insecure: true }]) {
  test(`a peer trusted by ${Object.keys(trust).join()} is believed, and added to the list`, async (t) => {
    const door = await openFrontDoor({ entryPoint: { forwardedHeaders: trust } });
    t.after(() => door.stop());
    await door.ask('GET /health', [
      ...spoofed,
      'X-Forwarded-For: 5.6.7.8',
      'X_Forwarded_For: 9.9.9.9',
      'Connection: X-Forwarded-For, x-real-ip',
    ]);
    assert.deepEqual(forwarded(door.origin[0]?.raw), {
      'x-forwarded-for': ['1.2.3.4, 5.6.7.8, 127.0.0.1'],
      'x-forwarded-host': ['evil.test'],
      'x-forwarded-method': ['OPTIONS'],
      'x-forwarded-port': ['8443'],
      'x-forwarded-prefix': ['/evil'],
      'x-forwarded-proto': ['https'],
      'x-forwarded-server': [hostname()],
      'x-forwarded-tls-client-cert': ['abc'],
      'x-forwarded-tls-client-cert-info': ['CN'],
      'x-forwarded-uri': ['/health'],
      'x-real-ip': ['1.2.3.4'],
    });
    door.forget();
    await door.ask('GET /health', ['X-Forwarded-Proto: https']);
    const told = forwarded(door.origin[0]?.raw);
    assert.deepEqual(told['x-forwarded-port'], ['443']);
    assert.deepEqual(told['x-real-ip'], ['127.0.0.1']);
    assert.deepEqual(told['x-forwarded-for'], ['127.0.0.1']);

    // Only now, with a trusted peer, does trustForwardHeader say anything.
    door.forget();
    await door.ask('POST /trusting', [...spoofed, 'Content-Length: 0']);
    assert.deepEqual(forwarded(door.auth[0]?.raw)['x-forwarded-method'], ['OPTIONS']);
    assert.deepEqual(forwarded(door.auth[0]?.raw)['x-forwarded-uri'], ['/health']);
    door.forget();
    await door.ask('POST /api', [...spoofed, 'Content-Length: 0']);
    assert.deepEqual(forwarded(door.auth[0]?.raw)['x-forwarded-method'], ['POST']);
    assert.deepEqual(forwarded(door.auth[0]?.raw)['x-forwarded-uri'], ['/api']);
  });
}

test('notAppendXForwardedFor passes the list of a trusted peer on as it is, and makes none', async (t) => {
  const door = await openFrontDoor({
    entryPoint: { forwardedHeaders: { insecure: true, notAppendXForwardedFor: true } },
  });
  t.after(() => door.stop());
  await door.ask('GET /health', ['X-Forwarded-For: 1.2.3.4']);
  await door.ask('GET /health');
  assert.deepEqual(forwarded(door.origin[0]?.raw)['x-forwarded-for'], ['1.2.3.4']);
  assert.equal(forwarded(door.origin[1]?.raw)['x-forwarded-for'], undefined);
});

test('names in forwardedHeaders.connection stay although a client lists them in Connection', async (t) => {
  const door = await openFrontDoor({ entryPoint: { forwardedHeaders: { connection: ['X-Keep'] } } });
  t.after(() => door.stop());
  await door.send(
    requestText('GET /health', ['Connection: close, x-keep, X-Drop', 'X-Keep: 1', 'X-Drop: 2']),
  );
  assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], 'x-keep'), ['1']);
  assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], 'x-drop'), []);
});

/** Every forwarding header by its name in lower case, in alphabetical order. */
function forwarded(raw: readonly string[] = []): Record<string, string[]> {
  const names = raw.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  const wanted = [...new Set(names)].filter((name) => /forwarded|real.ip/.test(name)).sort();
  return Object.fromEntries(wanted.map((name) => [name, valuesOf(raw, name)]));
}
