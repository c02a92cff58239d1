// Milliseconds of a scrape with 10,000 routers, packed and not, and how long the worker that sends it keeps others
// waiting: `node bench/micro/scrape.bench.ts`. One worker, so that it is the one that is asked meanwhile.

import { Agent, createServer, get } from 'node:http';
import { once } from 'node:events';
import { startGateway, type TestGateway } from '../../test/support/gateway.ts';
import { cpuTimes } from '../proc.ts';

const routers = 10_000;
const rounds = 9;

const server = createServer((_request, response) => response.end('hello'));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as { port: number };
const names = Array.from({ length: routers }, (_, i) => `r${i}`);
const gateway = await startGateway({
  static: { metrics: { prometheus: { addRoutersLabels: true } } },
  dynamic: {
    http: {
      routers: Object.fromEntries(
        names.map((name) => [name, { rule: `Host(\`${name}.test\`)`, service: name, entryPoints: ['web'] }]),
      ),
      services: Object.fromEntries(
        names.map((name) => [name, { loadBalancer: { servers: [{ url: `http://127.0.0.1:${port}` }] } }]),
      ),
    },
  },
});

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const asked = names.values();
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (const name of asked) await ask('web', { host: `${name}.test` });
  }),
);
// Workers tell once a second.
await new Promise((resolve) => setTimeout(resolve, 2_500));

interface Round {
  readonly took: number;
  readonly worst: number;
  readonly primary: number;
  readonly worker: number;
}

const ways = { gzip: { 'accept-encoding': 'gzip' }, plain: {}, nothing: null } as const;
const found = new Map(Object.keys(ways).map((way) => [way, [] as Round[]]));
// The first round warms up.
for (let round = 0; round <= rounds; round++) {
  for (const [way, headers] of Object.entries(ways)) {
    const measured = await measure(headers);
    if (round > 0) found.get(way)?.push(measured);
  }
}
console.log(`${routers} routers, ${await ask('traefik', ways.plain, '/metrics')} bytes; median (worst), ms`);
for (const [way, all] of found) {
  const shown = (['took', 'worst', 'primary', 'worker'] as const).map((key) => {
    const sorted = all.map((one) => one[key]).toSorted((a, b) => a - b);
    const [middle, last] = [sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0];
    const text = { took: 'took', worst: 'others waited', primary: 'CPU primary', worker: 'CPU worker' }[key];
    return `${text} ${middle.toFixed(0)} (${last.toFixed(0)})`;
  });
  console.log(`${way.padEnd(8)} ${shown.join('   ')}`);
}
agent.destroy();
await gateway.stop();
server.close();
server.closeAllConnections();

/** `headers` null: as long, with nobody who scrapes. */
async function measure(headers: Readonly<Record<string, string>> | null): Promise<Round> {
  const pids = [gateway.pid, ...gateway.workerPids()];
  const before = cpuTimes(pids);
  const since = performance.now();
  let isOver = false;
  let worst = 0;
  const watching = (async () => {
    while (!isOver) {
      const asked = performance.now();
      await ask('web', { host: 'nobody.test' });
      worst = Math.max(worst, performance.now() - asked);
    }
  })();
  if (headers === null) await new Promise((resolve) => setTimeout(resolve, 300));
  else await ask('traefik', headers, '/metrics');
  const took = performance.now() - since;
  isOver = true;
  await watching;
  const after = cpuTimes(pids);
  const [primary = 0, worker = 0] = pids.map(
    (pid) => ((after.get(pid) ?? 0) - (before.get(pid) ?? 0)) / 1000,
  );
  return { took, worst, primary, worker };
}

/** Bytes of the answer. */
function ask(
  entryPoint: Parameters<TestGateway['port']>[0],
  headers: Readonly<Record<string, string>>,
  path = '/',
): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: gateway.port(entryPoint), path, headers, agent }, (response) => {
      let bytes = 0;
      response.on('data', (piece: Buffer) => (bytes += piece.length)).on('end', () => resolve(bytes));
    }).on('error', reject);
  });
}
