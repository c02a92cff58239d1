// What stands behind the proxies: nginx where there is one, and our own server for uploads, sockets, auth.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandPath } from './install.ts';
import { type Running, freePort, startProgram } from './processes.ts';
import { nginxFile } from './peers/nginx-file.ts';
import type { Backends } from './site.ts';

const backendsFile = fileURLToPath(new URL('backends.ts', import.meta.url));

export const bodySizes = { '64k': 65_536, '10m': 10_485_760 } as const;

/** Throws when one of them does not come up. */
export async function startBackends(folder: string): Promise<{ backends: Backends; running: Running[] }> {
  const [node, auth, nodeTwin] = [await freePort(), await freePort(), await freePort()];
  const program = { command: process.execPath, args: [backendsFile, ...[node, auth, nodeTwin].map(String)] };
  const running = [await startProgram(program, { port: node, path: '/', host: 'localhost' })];
  const ours = { node: `127.0.0.1:${node}`, auth: `127.0.0.1:${auth}` };
  if (commandPath('nginx') === null) {
    return { backends: { ...ours, origin: ours.node, twin: `127.0.0.1:${nodeTwin}` }, running };
  }
  const origin = await freePort();
  const twin = await freePort();
  const authPort = await freePort();
  const file = writeOrigin(folder, [origin, twin], authPort);
  const nginx = { command: 'nginx', args: file };
  running.push(await startProgram(nginx, { port: origin, path: '/', host: 'localhost' }));
  return {
    backends: {
      ...ours,
      origin: `127.0.0.1:${origin}`,
      twin: `127.0.0.1:${twin}`,
      auth: `127.0.0.1:${authPort}`,
    },
    running,
  };
}

function writeOrigin(folder: string, ports: readonly number[], authPort: number): readonly string[] {
  const root = join(folder, 'origin');
  mkdirSync(join(root, 'bodies'), { recursive: true });
  for (const [name, size] of Object.entries(bodySizes)) {
    writeFileSync(join(root, 'bodies', name), Buffer.alloc(size, 'x'));
  }
  const http = `sendfile on; open_file_cache max=16; default_type text/plain;
    server { ${ports.map((port) => `listen 127.0.0.1:${port} backlog=4096;`).join(' ')}
      location / { return 200 "ok"; }
      location /sticky { add_header X-Server $server_port; return 200 "ok"; }
      location /bodies { root ${root}; } }
    server { listen 127.0.0.1:${authPort} backlog=4096; location / {
      add_header X-User-Id 17; add_header Cache-Control "max-age=600"; return 200 ""; } }`;
  return nginxFile(join(folder, 'origin-nginx'), { http, workers: 1, connections: 16_384 });
}
