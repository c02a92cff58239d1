// Clients that leave at any moment, on a way where much is under way at once: whatever they held is given back.

import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { makeRandom } from '../support/random.ts';

const most = 40;
const clients = 1_000;

for (const engine of ['uws', 'node'] as const) {
  test(`${clients} clients of ${engine} leave at any moment, and nothing of them stays`, async (context) => {
    const { below } = makeRandom(7);
    const random = (): number => below(1_000) / 1_000;
    const origin = await startOddOrigin(random);
    context.after(() => origin.close());
    const gateway = await startGateway({ workers: 2, engine, dynamic: odd(origin.url) });
    context.after(() => gateway.stop());
    for (let i = 0; i < 40; i++) await leaveAfter(gateway.port('web'), '/calm', 40, true);
    origin.server.closeAllConnections();
    const before = await quiet(gateway);
    for (let left = clients; left > 0; left -= most) {
      const some = Array.from({ length: most }, () =>
        leaveAfter(gateway.port('web'), '/wild', random() * 60, random() < 0.5),
      );
      await Promise.all(some);
    }
    await eventually('all places are free', async () => (await admitted(gateway, origin)) === most);
    origin.server.closeAllConnections();
    await eventually('all descriptors are closed', () => {
      origin.server.closeAllConnections();
      return descriptors(gateway) <= before;
    });
    assert.doesNotMatch(gateway.logs(), /gateway\.bug|nobody caught/);
  });
}

interface OddOrigin {
  readonly url: string;
  readonly server: Server;
  /** Answers that wait. */
  readonly held: ServerResponse[];
  close(): void;
}

async function startOddOrigin(random: () => number): Promise<OddOrigin> {
  const held: ServerResponse[] = [];
  const server = createServer((asked, response) => {
    asked.on('error', () => {});
    if (asked.url === '/hold') held.push(response);
    if (asked.url === '/calm') response.end('calm');
    if (asked.url === '/auth') setTimeout(() => response.end(), random() * 10);
    if (asked.url !== '/wild' && asked.url !== '/page') return;
    asked.resume();
    const way = Math.floor(random() * 6);
    const wait = random() * 30;
    setTimeout(() => {
      if (way === 0) response.writeHead(503).end();
      else if (way === 1) response.writeHead(500).end('broken');
      else if (way === 2) asked.socket.destroy();
      else if (way === 3) response.end('x'.repeat(300_000));
      else if (way === 4) response.writeHead(200, { 'content-length': '9' }).write('half');
      else response.end('whole');
    }, wait);
    if (way === 4) setTimeout(() => response.destroy(), wait + 20);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    held,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function odd(url: string): object {
  const middlewares = {
    limit: { inFlightReq: { amount: most, sourceCriterion: { requestHost: true } } },
    calm: { rateLimit: { average: 100_000, burst: 100 } },
    pages: { errors: { status: ['500'], service: 'odd', query: '/page' } },
    again: { retry: { attempts: 3, initialInterval: '10ms', status: ['503'] } },
    auth: { forwardAuth: { address: `${url}/auth`, cache: { ttl: '20ms', key: ['header:authorization'] } } },
    spool: { buffering: { memRequestBodyBytes: 100, maxRequestBodyBytes: 100_000 } },
    small: { compress: {} },
  };
  return {
    http: {
      routers: {
        calm: { rule: 'Path(`/calm`)', service: 'odd', entryPoints: ['web'] },
        wild: {
          rule: 'PathPrefix(`/`)',
          service: 'twice',
          entryPoints: ['web'],
          middlewares: Object.keys(middlewares),
        },
      },
      middlewares,
      services: {
        odd: { loadBalancer: { servers: [{ url }] } },
        twice: { mirroring: { service: 'odd', mirrors: [{ name: 'odd', percent: 50 }] } },
      },
    },
  };
}

/** Sends a request, or half of it, reads what comes, and is gone after `ms`. */
function leaveAfter(port: number, path: string, ms: number, isWhole: boolean): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    const body = path === '/calm' ? '' : 'y'.repeat(4_000);
    const fields = `Host: a.test\r\nAuthorization: Bearer ${Math.ceil(ms / 10)}\r\nAccept-Encoding: gzip`;
    const head = `POST ${path} HTTP/1.1\r\n${fields}\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(head + (isWhole ? body : body.slice(0, 1_500)));
    socket.resume();
    setTimeout(() => socket.destroy(), ms);
  });
}

/** How many of more requests than are let in at a time are let in; all are over when it settles. */
async function admitted(gateway: TestGateway, { held }: OddOrigin): Promise<number> {
  const asked = Array.from({ length: most + 5 }, () => statusOf(gateway.port('web'), '/hold'));
  let known = -1;
  // All that come have come.
  while (known !== held.length || held.length === 0) {
    known = held.length;
    await sleep(150);
  }
  for (const response of held.splice(0)) response.end();
  const statuses = await Promise.all(asked);
  assert.ok(statuses.every((status) => status === 200 || status === 429));
  return statuses.filter((status) => status === 200).length;
}

function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = { host: 'a.test', authorization: 'Bearer hold' };
    const sent = request({ port, host: '127.0.0.1', path, agent: false, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', () => resolve(0));
    sent.end();
  });
}

/** Of both workers, once it does not change any more. */
async function quiet(gateway: TestGateway): Promise<number> {
  let known = -1;
  await eventually('descriptors are quiet', async () => {
    await sleep(200);
    const now = descriptors(gateway);
    const isQuiet = now === known;
    known = now;
    return isQuiet;
  });
  return known;
}

function descriptors(gateway: TestGateway): number {
  let count = 0;
  for (const pid of gateway.workerPids()) {
    for (const name of readdirSync(`/proc/${pid}/fd`)) {
      try {
        const target = readlinkSync(`/proc/${pid}/fd/${name}`);
        if (target.startsWith('socket:') || target.startsWith('/')) count += 1;
      } catch {}
    }
  }
  return count;
}
