// A collector that hangs, dies, talks nonsense or wants TLS: it is nothing to clients, nothing to memory and nothing to
// the end of a gateway, and the log says each change once.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { eventually, runCommand, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type OtlpReceiver, type OtlpReceiverOptions, startOtlp } from '../support/otlp-receiver.ts';
import { type Authority, makeAuthority } from '../support/pki.ts';

/** Ten seconds of attempts, and a slow machine. */
const untilGivenUp = 30_000;
/** Milliseconds for an end: twice 800 for the last spans, and what it takes without a collector here and now. */
const end = 1_600 + 6_000;

let origin: Origin;
let authority: Authority;
before(async () => {
  origin = await startOrigin({ answer: (_request, response) => void response.end('ok') });
  authority = makeAuthority();
});
after(async () => {
  await origin?.stop();
  authority?.close();
});

async function collector(t: TestContext, options: OtlpReceiverOptions): Promise<OtlpReceiver> {
  const receiver = await startOtlp(options);
  t.after(() => receiver.stop());
  return receiver;
}

async function gatewayTo(t: TestContext, otlp: object): Promise<TestGateway> {
  const gateway = await startGateway({
    static: { entryPoints: { web: {} }, tracing: { otlp } },
    dynamic: {
      http: {
        routers: { all: { rule: 'PathPrefix(`/`)', service: 'all' } },
        services: { all: { loadBalancer: { servers: [{ url: origin.url }] } } },
      },
    },
  });
  t.after(() => gateway.stop());
  return gateway;
}

type Wire = 'http' | 'grpc';

function reached(wire: Wire, { port }: OtlpReceiver, tls?: object): object {
  const more = tls === undefined ? {} : { tls };
  const scheme = tls === undefined ? 'http' : 'https';
  return wire === 'http'
    ? { http: { endpoint: `${scheme}://127.0.0.1:${port}`, ...more } }
    : { grpc: { endpoint: `127.0.0.1:${port}`, ...(tls === undefined ? { insecure: true } : more) } };
}

async function asks(gateway: TestGateway, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1)
    assert.equal((await ask(gateway.port('web'), { host: 'any.test' })).status, 200);
}

function lines(gateway: TestGateway): { readonly gone: number; readonly back: number } {
  const count = (text: string): number => gateway.logs().split(text).length - 1;
  return { gone: count('do not reach their collector'), back: count('reach their collector again') };
}

async function endsInTime(gateway: TestGateway): Promise<void> {
  const started = performance.now();
  const { code } = await gateway.stop();
  const took = performance.now() - started;
  assert.equal(code, 0);
  assert.ok(took < end, `${took} ms`);
}

describe('a collector', { concurrency: 4 }, () => {
  for (const wire of ['http', 'grpc'] as const) {
    test(`that never answers holds up neither a request nor the end (${wire})`, async (t) => {
      const receiver = await collector(t, { protocol: wire, behaviour: 'hang' });
      const gateway = await gatewayTo(t, reached(wire, receiver));
      await asks(gateway, 20);
      await eventually('it has got some', () => receiver.headers.length > 0);
      await asks(gateway, 20);
      await endsInTime(gateway);
      assert.deepEqual(lines(gateway), { gone: 1, back: 0 });
    });

    test(`that accepts and says nothing at all does neither (${wire})`, async (t) => {
      const receiver = await collector(t, { protocol: 'tcp', behaviour: 'hang' });
      const gateway = await gatewayTo(t, reached(wire, receiver));
      await asks(gateway, 20);
      await eventually('it has got some', () => receiver.headers.length > 0);
      await gateway.waitForLog(/do not reach their collector/, untilGivenUp);
      await asks(gateway, 20);
      await endsInTime(gateway);
      assert.deepEqual(lines(gateway), { gone: 1, back: 0 });
    });

    test(`that dies and returns is missed once and welcomed once (${wire})`, async (t) => {
      const first = await collector(t, { protocol: wire });
      const gateway = await gatewayTo(t, reached(wire, first));
      await asks(gateway, 1);
      await eventually('its spans', () => first.spans.length === 2);
      await first.stop();
      await eventually(
        'it is missed',
        async () => {
          await asks(gateway, 1);
          return lines(gateway).gone > 0;
        },
        untilGivenUp,
      );
      const second = await collector(t, { protocol: wire, port: first.port });
      await eventually(
        'it is welcomed',
        async () => {
          await asks(gateway, 1);
          return lines(gateway).back > 0;
        },
        untilGivenUp,
      );
      await eventually('spans again', () => second.spans.length >= 2);
      await endsInTime(gateway);
      assert.deepEqual(lines(gateway), { gone: 1, back: 1 });
    });

    test(`that answers the first bytes with garbage is one that is not reached (${wire})`, async (t) => {
      const receiver = await collector(t, { protocol: 'tcp', behaviour: 'garbage' });
      const gateway = await gatewayTo(t, reached(wire, receiver));
      await asks(gateway, 20);
      await gateway.waitForLog(/do not reach their collector/, untilGivenUp);
      await asks(gateway, 20);
      await endsInTime(gateway);
      assert.deepEqual(lines(gateway), { gone: 1, back: 0 });
      assert.equal(gateway.logs().includes('worker ended'), false, gateway.logs());
    });

    test(`with a certificate of an authority of one’s own gets spans by TLS, and asks for ours (${wire})`, async (t) => {
      const { cert, key } = authority.issue(['127.0.0.1', 'localhost']);
      const receiver = await collector(t, { protocol: wire, tls: { cert, key, ca: authority.root } });
      const ours = authority.issue(['gateway.test'], { client: true });
      const folder = mkdtempSync(join(tmpdir(), 'portcullis-tracing-'));
      const remove = (): void => rmSync(folder, { recursive: true, force: true });
      t.after(remove);
      const put = (name: string, text: string): string => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const tls = {
        ca: put('ca.pem', authority.root),
        cert: put('cert.pem', ours.cert),
        key: put('key.pem', ours.key),
      };
      const gateway = await gatewayTo(t, reached(wire, receiver, tls));
      // The primary has read them: workers may run as somebody who may not.
      remove();
      await asks(gateway, 1);
      await eventually('its spans', () => receiver.spans.length === 2);
      await endsInTime(gateway);
      assert.deepEqual(lines(gateway), { gone: 0, back: 0 });
    });

    test(`whose certificate is nobody’s gets nothing (${wire})`, async (t) => {
      const stranger = makeAuthority('Stranger');
      t.after(() => stranger.close());
      const receiver = await collector(t, { protocol: wire, tls: stranger.issue(['127.0.0.1']) });
      const gateway = await gatewayTo(t, reached(wire, receiver, { ca: authority.root }));
      await asks(gateway, 20);
      await gateway.waitForLog(/do not reach their collector/, untilGivenUp);
      await endsInTime(gateway);
      assert.equal(receiver.headers.length, 0);
      assert.deepEqual(lines(gateway), { gone: 1, back: 0 });
    });
  }

  test('that answers well and ill by turns is told of at each turn', async (t) => {
    const receiver = await collector(t, { protocol: 'http', behaviour: 'garbage' });
    const gateway = await gatewayTo(t, reached('http', receiver));
    for (const turn of [1, 2]) {
      await receiver.behave('garbage');
      await asks(gateway, 20);
      await eventually('it is missed', () => lines(gateway).gone === turn, untilGivenUp);
      await receiver.behave(200);
      await asks(gateway, 20);
      await eventually('it is welcomed', () => lines(gateway).back === turn, untilGivenUp);
    }
    await endsInTime(gateway);
    assert.deepEqual(lines(gateway), { gone: 2, back: 2 });
  });

  test('that says yes by gRPC in words that mean nothing has said yes', async (t) => {
    const receiver = await collector(t, { protocol: 'grpc', behaviour: 'garbage' });
    const gateway = await gatewayTo(t, reached('grpc', receiver));
    await asks(gateway, 20);
    await eventually('it has got some', () => receiver.headers.length > 0);
    await endsInTime(gateway);
    assert.deepEqual(lines(gateway), { gone: 0, back: 0 });
  });

  test('whose answer never ends is given up, and used again when it is well', async (t) => {
    const receiver = await collector(t, { protocol: 'http', behaviour: 'drip' });
    const gateway = await gatewayTo(t, reached('http', receiver));
    await asks(gateway, 20);
    await gateway.waitForLog(/do not reach their collector/, untilGivenUp);
    await receiver.behave(200);
    await asks(gateway, 1);
    await gateway.waitForLog(/reach their collector again/, untilGivenUp);
    await endsInTime(gateway);
    assert.deepEqual(lines(gateway), { gone: 1, back: 1 });
  });
});

test('key and certificates that cannot be read are said at the start, without what is written there', async () => {
  const { code, output } = await runCommand([
    'check',
    '--entrypoints.web.address=:0',
    '--tracing.otlp.http.endpoint=https://127.0.0.1:1',
    '--tracing.otlp.http.tls.ca=/nowhere/ca.pem',
    '--tracing.otlp.http.tls.key=hushhush',
  ]);
  assert.notEqual(code, 0);
  assert.match(output, /`ca` is neither a PEM text nor a file that holds one/);
  assert.match(output, /`cert` and `key` are only of use together/);
  assert.doesNotMatch(output, /hushhush/);
});
