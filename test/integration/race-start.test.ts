// A gateway that is stopped before it serves.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, freePorts } from '../support/gateway.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

test('a shutdown while it waits for its certificates begins no worker any more', async (context) => {
  // Redis, where they are, takes the connection and says nothing.
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-start-'));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const [port] = await freePorts(1);
  const acme = {
    email: 'a@example.com',
    storage: join(dir, 'acme.json'),
    httpChallenge: { entryPoint: 'web' },
  };
  const config = {
    log: { level: 'INFO', format: 'json' },
    entryPoints: { web: { address: `127.0.0.1:${port}` } },
    certificatesResolvers: { main: { acme } },
    state: {
      redis: { endpoints: [`127.0.0.1:${(silent.address() as AddressInfo).port}`] },
      secret: 'a secret of more than thirty-two bytes',
    },
  };
  const file = join(dir, 'static.yml');
  writeFileSync(file, JSON.stringify(config));
  const gateway = spawn(process.execPath, [main, `--configFile=${file}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  context.after(() => void gateway.kill('SIGKILL'));
  let output = '';
  gateway.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  gateway.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await eventually('it waits', () => sockets.length > 0);
  gateway.kill('SIGTERM');
  const [code] = (await once(gateway, 'exit')) as [number | null];
  assert.match(output, /shutdown has begun/);
  assert.doesNotMatch(output, /worker serves|"listening"/);
  assert.equal(code, 0, output);
});
