// How connections of the node engine end: with their client, and with the gateway.

import assert from 'node:assert/strict';
import { createServer as createHttp } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openFrontDoor } from '../support/front-door.ts';
import { startGateway } from '../support/gateway.ts';
import { requestText } from '../support/raw.ts';
import { openRaw, routesTo } from '../support/wire.ts';

test('who closes the own half and then hears nothing for a second is taken for gone', async (t) => {
  const door = await openFrontDoor({ entryPoint: { engine: 'node' } });
  t.after(() => door.stop());
  const client = await openRaw(door.port);
  client.write(requestText('POST /health', ['Content-Length: 5'], 'ab'));
  client.socket.end();
  await client.closed(4_000);
  assert.doesNotMatch(client.text(), / 200 /);
});

test('a connection that rests when the drain begins is answered once more, and told', async (t) => {
  const origin = createHttp((_, response) => setTimeout(() => response.end('late'), 600));
  await new Promise<void>((go) => origin.listen(0, '127.0.0.1', go));
  t.after(() => origin.close());
  const gateway = await startGateway({
    engine: 'node',
    dynamic: routesTo({ o: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` }),
  });
  const resting = await openRaw(gateway.port('web'));
  resting.write(requestText('GET /o/first'));
  await resting.until(/late$/);
  const running = await openRaw(gateway.port('web'));
  running.write(requestText('GET /o/running'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const stopping = gateway.stop();
  await gateway.waitForLog(/shut|drain/i);
  resting.write(requestText('GET /o/second'));
  assert.match(await resting.closed(), /late[\s\S]*connection: close\r\n[\s\S]*late$/);
  assert.match(await running.closed(), /late$/);
  assert.equal((await stopping).code, 0);
});

test('a drain answers what runs, ends idle connections and sessions, and exits 0', async (t) => {
  const origin = createHttp((_, response) => setTimeout(() => response.end('late'), 400));
  await new Promise<void>((go) => origin.listen(0, '127.0.0.1', go));
  t.after(() => origin.close());
  const gateway = await startGateway({
    engine: 'node',
    static: { entryPoints: { web: { transport: { lifeCycle: { graceTimeOut: '5s' } } } } },
    dynamic: routesTo({ o: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` }),
  });
  const running = await openRaw(gateway.port('web'));
  running.write(requestText('GET /o/late'));
  const client = connectHttp2(gateway.url('web'));
  client.on('error', () => {});
  const stream = client.request({ ':path': '/o/late' });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const stopping = gateway.stop();
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  assert.equal(text, 'late');
  const answer = await running.closed();
  assert.match(answer, /connection: close\r\n/);
  assert.match(answer, /late$/);
  assert.equal((await stopping).code, 0);
});
