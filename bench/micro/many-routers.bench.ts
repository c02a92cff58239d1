// Milliseconds of CPU a stage takes of bringing 10,000 routers into force, and of changing one of them:
// `node bench/micro/many-routers.bench.ts`.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolve } from '../../src/config/dynamic/resolve.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { createFileStore } from '../../src/providers/file/store.ts';
import { assemble } from '../../src/proxy/runtime/assemble.ts';
import { KeepStore } from '../../src/proxy/runtime/keep.ts';
import type { Runtime } from '../../src/proxy/runtime/runtime.ts';
import { createAuthClients } from '../../src/proxy/upstream/auth-client.ts';
import { createAuthCacheRegistry } from '../../src/proxy/middlewares/forward-auth/cache.ts';
import { entryPoint, transport } from '../../test/support/specs.ts';
import { MemoryState } from '../../src/state/memory.ts';

const count = 10_000;
const folder = mkdtempSync(join(tmpdir(), 'many-routers-'));
const path = join(folder, 'dynamic.yml');
const shape = process.argv[2] === 'json' ? asJson : asYaml;
const kept = new KeepStore();
const authClients = createAuthClients();
const authCaches = createAuthCacheRegistry();
let runtime: Runtime | null = null;
let version = 0;

try {
  const store = createFileStore({ filename: path }, { env: {}, ruleSyntax: 'v3' });
  for (const [title, changed] of [
    ['first', -1],
    ['one changed', 5_000],
    ['another', 7_777],
    ['back', -1],
  ] as const) {
    writeFileSync(path, shape(changed));
    round(title, store);
  }
} finally {
  authClients.close();
  rmSync(folder, { recursive: true });
}

function round(title: string, store: ReturnType<typeof createFileStore>): void {
  const cells: string[] = [];
  const time = <T>(stage: string, work: () => T): T => {
    const started = process.threadCpuUsage();
    const made = work();
    const { user, system } = process.threadCpuUsage(started);
    cells.push(`${stage} ${((user + system) / 1_000).toFixed(0)}`);
    return made;
  };
  time('read', () => store.refresh('content'));
  const sources = [store.config()];
  const { snapshot } = time('resolve', () =>
    resolve({
      sources,
      entryPoints: [entryPoint('web')],
      defaults: { ruleSyntax: 'v3', serversTransport: transport },
      known: runtime?.snapshot ?? null,
    }),
  );
  version += 1;
  const next = time('assemble', () => build({ ...snapshot, version }));
  runtime?.dispose();
  runtime = next;
  console.log(`${title.padEnd(14)}${cells.map((cell) => cell.padEnd(16)).join('')}`);
}

function build(snapshot: Snapshot): Runtime {
  return assemble(snapshot, {
    entryPoints: ['web'],
    kept: kept.open(),
    previous: runtime,
    internal: {
      pingStatus: () => 200,
      challengeAnswer: () => null,
      askPrimary: () => Promise.reject(new Error('nobody is there')),
    },
    build: {
      bootSecret: '00',
      authClients,
      authCaches,
      state: new MemoryState(),
      log: { warn: () => {}, error: () => {} },
    },
  }).runtime;
}

function prefixOf(i: number, changed: number): string {
  return i === changed ? '/changed' : '/api';
}

function asYaml(changed: number): string {
  const routers = Array.from(
    { length: count },
    (_, i) =>
      `    app${i}:\n      rule: Host(\`app${i}.example.com\`) && PathPrefix(\`${prefixOf(i, changed)}\`)\n      service: app${i}\n      middlewares:\n        - strip\n`,
  );
  const services = Array.from(
    { length: count },
    (_, i) =>
      `    app${i}:\n      loadBalancer:\n        servers:\n          - url: http://127.0.0.1:${9_000 + (i % 100)}\n`,
  );
  return `http:\n  middlewares:\n    strip:\n      stripPrefix:\n        prefixes: [/api]\n  routers:\n${routers.join('')}  services:\n${services.join('')}`;
}

function asJson(changed: number): string {
  const each = <T>(make: (i: number) => T) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`app${i}`, make(i)]));
  return JSON.stringify({
    http: {
      middlewares: { strip: { stripPrefix: { prefixes: ['/api'] } } },
      routers: each((i) => ({
        rule: `Host(\`app${i}.example.com\`) && PathPrefix(\`${prefixOf(i, changed)}\`)`,
        service: `app${i}`,
        middlewares: ['strip'],
      })),
      services: each((i) => ({
        loadBalancer: { servers: [{ url: `http://127.0.0.1:${9_000 + (i % 100)}` }] },
      })),
    },
  });
}
