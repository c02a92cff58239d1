// CPU microseconds per request of the HTTP/1.1 client and of undici's Pool, before the same origin in
// another process (nginx where it is found, else node): `node bench/micro/http1-client.bench.ts [seconds]`.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Dispatcher, Pool } from 'undici';
import { Http1Pool } from '../../src/proxy/upstream/http1/pool.ts';
import { readResponseHeaders } from '../../src/proxy/upstream/response-headers.ts';
import { transport } from '../../test/support/specs.ts';
import { median } from '../statistics.ts';
import { atOnce, drive, fail, headers } from './client-load.ts';

const rounds = 8;
const roundMs = (Number(process.argv[2] ?? 16) * 1000) / (rounds * 2);

interface Contender {
  readonly name: string;
  send(done: () => void): void;
  close(): void;
  readonly cpu: number[];
  readonly rate: number[];
}

const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
const port = await freePort();
const origin = startOrigin(port);
try {
  await listening(port);
  const contenders = [ours(`http://127.0.0.1:${port}`), theirs(`http://127.0.0.1:${port}`)];
  for (const contender of contenders) await drive(contender.send, 1_000);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const contender of order) await measure(contender);
  }
  for (const contender of contenders) {
    const rate = Math.round(median(contender.rate) ?? 0).toLocaleString('en');
    console.log(
      `${contender.name.padEnd(10)} ${(median(contender.cpu) ?? 0).toFixed(1)} µs/request   ${rate} requests/s`,
    );
    contender.close();
  }
} finally {
  origin.kill('SIGTERM');
  await new Promise((resolve) => origin.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
}

async function measure(contender: Contender): Promise<void> {
  const before = process.cpuUsage();
  const since = performance.now();
  const count = await drive(contender.send, roundMs);
  const { user, system } = process.cpuUsage(before);
  contender.cpu.push((user + system) / count);
  contender.rate.push((count * 1000) / (performance.now() - since));
}

function ours(url: string): Contender {
  const pool = new Http1Pool(url, transport);
  return {
    name: 'ours',
    cpu: [],
    rate: [],
    close: () => pool.close(),
    send(done) {
      pool.send(
        { method: 'GET', path: '/', headers, body: null },
        { onHead() {}, onData: () => true, onEnd: done, onError: fail },
      );
    },
  };
}

function theirs(url: string): Contender {
  const pool = new Pool(url, { connections: 4_096, pipelining: 1 });
  return {
    name: 'undici',
    cpu: [],
    rate: [],
    close: () => void pool.close(),
    send(done) {
      pool.dispatch(
        { method: 'GET', path: '/', headers, body: null },
        {
          onRequestStart() {},
          onResponseStart(controller: Dispatcher.DispatchController) {
            readResponseHeaders((controller.rawHeaders ?? []) as Buffer[]);
          },
          onResponseData() {},
          onResponseEnd: done,
          onResponseError: (_: unknown, error: Error) => fail(error),
        },
      );
    },
  };
}

function startOrigin(at: number): ChildProcess {
  const isNginx = spawnSync('nginx', ['-v']).error === undefined;
  console.log(`origin: ${isNginx ? 'nginx' : 'node'}, ${atOnce} requests at a time, ${rounds} rounds each`);
  if (!isNginx) {
    const script = `require('http').createServer((_, a) => a.end('hello from the origin')).listen(${at}, '127.0.0.1')`;
    return spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit; events { worker_connections 4096; }
     http { access_log off; keepalive_requests 100000000; client_body_temp_path ${folder}; proxy_temp_path ${folder};
     fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
     server { listen 127.0.0.1:${at}; location / { default_type text/plain; return 200 'hello from the origin'; } } }`,
  );
  return spawn('nginx', ['-c', config, '-p', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}

async function listening(at: number): Promise<void> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const stands = await new Promise<boolean>((resolve) => {
      const socket = connect(at, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (stands) return;
    if (performance.now() > deadline) throw new Error('the origin does not listen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
