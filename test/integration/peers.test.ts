// Whose request it is, as the server is told: right from the first connection on, and when a second address joins.

import assert from 'node:assert/strict';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { startGateway } from '../support/gateway.ts';

test('each request carries the address of its own connection, before and after others join', async () => {
  const origin = createServer((asked, response) => response.end(String(asked.headers['x-real-ip'])));
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const gateway = await startGateway({
    workers: 1,
    dynamic: {
      http: {
        routers: { all: { rule: 'PathPrefix(`/`)', service: 'all' } },
        services: { all: { loadBalancer: { servers: [{ url }] } } },
      },
    },
  });
  const agents = new Map<string, Agent>();
  const ask = (localAddress: string): Promise<string> => {
    const agent = agents.get(localAddress) ?? new Agent({ keepAlive: true, maxSockets: 1 });
    agents.set(localAddress, agent);
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: gateway.port('web'), localAddress, agent };
      const sent = request(options, (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () => resolve(text));
      });
      sent.once('error', reject).end();
    });
  };
  try {
    // The readiness probe of the gateway came from 127.0.0.1 as well.
    for (const address of [
      '127.0.0.1',
      '127.0.0.1',
      '127.0.0.2',
      '127.0.0.1',
      '127.0.0.3',
      '127.0.0.2',
      '127.0.0.1',
    ]) {
      assert.equal(await ask(address), address);
    }
  } finally {
    for (const agent of agents.values()) agent.destroy();
    origin.closeAllConnections();
    origin.close();
    await gateway.stop();
  }
});
