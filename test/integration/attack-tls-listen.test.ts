// Ports that change how they listen while clients are there, and files that are no files.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type Authority, type Issued, makeAuthority } from '../support/pki.ts';
import { tlsAsk } from '../support/tls-client.ts';

let pki: Authority;
let origin: Origin;
let issued: Issued;
before(async () => {
  pki = makeAuthority();
  issued = pki.issue(['a.test']);
  origin = await startOrigin();
});
after(async () => {
  await origin?.stop();
  pki?.close();
});

interface SiteOptions {
  readonly isTls: boolean;
  readonly options?: object;
  readonly certFile?: string;
  /** Makes one configuration another one. */
  readonly round?: number;
}

function site({ isTls, options = {}, certFile = issued.cert, round = 0 }: SiteOptions): object {
  const rule = 'PathPrefix(`/`)';
  const all = {
    rule,
    entryPoints: ['web'],
    service: 'origin',
    priority: round + 1,
    ...(isTls ? { tls: {} } : {}),
  };
  return {
    http: {
      routers: { all },
      services: { origin: { loadBalancer: { servers: [{ url: origin.url }] } } },
    },
    tls: { certificates: [{ certFile, keyFile: issued.key }], options: { default: options } },
  };
}

describe('a port that changes how it listens', { timeout: 90_000 }, () => {
  let gateway: TestGateway;
  after(() => gateway?.stop());

  function open(): { readonly socket: Socket; text: string } {
    const socket = connect(gateway.port('web'), '127.0.0.1');
    const kept = { socket, text: '' };
    socket.on('data', (chunk: Buffer) => (kept.text += chunk.toString('latin1')));
    socket.on('error', () => {});
    return kept;
  }

  test('connections in cleartext reach nothing once routers want TLS, however old they are', async () => {
    gateway = await startGateway({
      static: { entryPoints: { web: { engine: 'auto' } } },
      workers: 2,
      dynamic: site({ isTls: false }),
    });
    const request = 'GET /secret HTTP/1.1\r\nHost: a.test\r\n\r\n';
    const [used, idle] = [open(), open()];
    used.socket.write(request);
    await eventually('the first answer', () => used.text.includes('origin'));
    used.text = '';
    await gateway.writeDynamic(site({ isTls: true }));
    const before = origin.requests.length;
    for (const one of [used, idle]) {
      one.socket.write(request);
      await eventually('an answer', () => one.text.includes('\r\n\r\n'));
      assert.match(one.text, /^HTTP\/1\.1 404 /);
    }
    assert.equal(origin.requests.length, before);
    for (const { socket } of [used, idle]) socket.destroy();
    await eventually(
      'TLS',
      async () => (await tlsAsk(gateway.port('web'), { servername: 'a.test' })).status === 200,
    );
  });

  test('eight changes of the engine under load end next to no handshake', async () => {
    let isOver = false;
    let served = 0;
    let lost = 0;
    const load = async (): Promise<void> => {
      while (!isOver) {
        const { status } = await tlsAsk(gateway.port('web'), { servername: 'a.test' });
        if (status === 200) served += 1;
        else lost += 1;
      }
    };
    const running = [load(), load(), load()];
    for (let round = 1; round <= 8; round++) {
      const options = round % 2 === 0 ? {} : { curvePreferences: ['X25519'] };
      await gateway.writeDynamic(site({ isTls: true, options, round }));
    }
    isOver = true;
    await Promise.all(running);
    // What arrives between the last look at a socket and its end is reset by Linux, unless `tcp_migrate_req` is on:
    // microseconds on a machine at rest, and a connection a change on one with more to do than it can.
    assert.ok(served > 30 && lost <= 8, `${served} served, ${lost} lost`);
  });
});

describe('clients that leave in the middle of a handshake', { timeout: 60_000 }, () => {
  let gateway: TestGateway;
  after(() => gateway?.stop());

  test('whoever leaves after the hello takes his connection along, and is not waited for', async () => {
    gateway = await startGateway({ engine: 'node', dynamic: site({ isTls: true }) });
    const [worker = 0] = gateway.workerPids();
    const open = (): number => readdirSync(`/proc/${worker}/fd`).length;
    const port = gateway.port('web');
    await tlsAsk(port, { servername: 'a.test' });
    const hello = await helloFor('a.test');
    const before = open();
    const leave = (): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(hello));
        socket.once('data', () => socket.end());
        socket.on('error', () => {}).on('close', () => resolve());
        socket.resume();
      });
    const left = Promise.all(Array.from({ length: 200 }, leave));
    await eventually('all are gone', () => left.then(() => open() <= before + 5), 5_000);
    assert.equal((await tlsAsk(port, { servername: 'a.test' })).status, 200);
  });
});

/** What a client says first. */
function helloFor(servername: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
        server.close();
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      connectTls({ port, host: '127.0.0.1', servername }).on('error', () => {});
    });
  });
}

describe('certificate files that are none', { timeout: 60_000 }, () => {
  let gateway: TestGateway;
  after(() => gateway?.stop());

  test('a pipe, a device, a folder and an endless file are told, hold nobody up, and the last good one serves', async () => {
    gateway = await startGateway({ dynamic: site({ isTls: true }) });
    const pipe = join(gateway.dir, 'pipe.pem');
    execFileSync('mkfifo', [pipe]);
    for (const [round, certFile] of [pipe, '/dev/zero', '/dev/null', gateway.dir].entries()) {
      await gateway.writeDynamic(site({ isTls: true, certFile, round: round + 1 }));
      const { diagnostics } = await gateway.status();
      assert.equal(diagnostics.filter(({ severity }) => severity === 'error').length, 1, certFile);
      assert.equal((await tlsAsk(gateway.port('web'), { servername: 'a.test' })).status, 200);
    }
  });
});
