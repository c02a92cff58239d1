// The pair as it is run: two gateways with keepalived, two backends and a client, each on a host of its own.

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './gateway.ts';
import type { Seen } from './ha-client.ts';
import { createLan, type Hosted, type Lan } from './namespaces.ts';

export type Node = 'a' | 'b';

export interface Pair {
  readonly lan: Lan;
  /** Clients' address of the pair. */
  readonly address: string;
  /** Who has the address now; null for nobody, and for both. */
  active(): Node | null;
  /** Beside the one with the process id `instead`, which then leaves; or as the only one. */
  startGateway(node: Node, instead?: number): Promise<Hosted>;
  /** Waits until the gateway that runs there serves. */
  serves(node: Node): Promise<void>;
  gateway(node: Node): Hosted;
  startBackend(name: 'one' | 'two'): Promise<Hosted>;
  backend(name: 'one' | 'two'): Hosted;
  keepalived(node: Node): Hosted;
  /** Milliseconds until the address is with that node. */
  movesTo(node: Node, ms: number): Promise<number>;
  /** Its requests have `patience` milliseconds, 1,000 unless said. */
  startClient(patience?: number): Promise<Client>;
  close(): Promise<void>;
}

export interface Client {
  /** Ends the client and gives what it saw. */
  stop(): Promise<Seen>;
}

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
export const nodes: readonly Node[] = ['a', 'b'];
const backends = ['one', 'two'] as const;

/** `migrate` is net.ipv4.tcp_migrate_req on both nodes. */
export async function startPair(migrate: 0 | 1 = 1): Promise<Pair> {
  const lan = createLan(['a', 'b', ...backends, 'client']);
  // keepalived runs scripts only from where nobody but root may write.
  const dir = mkdtempSync('/run/portcullis-pair-');
  const running = new Map<string, Hosted>();
  const address = '10.77.0.10';
  const flags = [`--configFile=${writeGatewayFiles(dir, lan)}`];
  const main = source('../../src/main.ts');
  const pair: Pair = {
    lan,
    address,
    active() {
      const having = nodes.filter((node) => hasAddress(lan, node, address));
      return having.length === 1 ? (having[0] ?? null) : null;
    },
    async startGateway(node, instead) {
      const how = instead === undefined ? [] : ['handover', '--pid', String(instead)];
      const one = lan.start(node, [process.execPath, main, ...how, ...flags], { cwd: dir });
      running.set(node, one);
      await eventually('the gateway listens', () => one.output().split('"listening"').length > 2, 30_000);
      return one;
    },
    async serves(node) {
      await eventually('/ping is 200', () => {
        try {
          return lan.run(node, 'curl', '-sf', '-m1', 'http://127.0.0.1:8080/ping') === 'OK';
        } catch {
          return false;
        }
      });
    },
    gateway: (node) => running.get(node) as Hosted,
    backend: (name) => running.get(name) as Hosted,
    keepalived: (node) => running.get(`keepalived-${node}`) as Hosted,
    async startBackend(name) {
      const one = lan.start(name, [process.execPath, source('./ha-backend.ts'), name, '8000']);
      running.set(name, one);
      await eventually('the backend listens', () => one.output().includes('listening'));
      return one;
    },
    movesTo: (node, ms) => eventually(`the address is with ${node}`, () => pair.active() === node, ms),
    async startClient(patience = 1_000) {
      const one = lan.start('client', [
        process.execPath,
        source('./ha-client.ts'),
        `http://${address}`,
        '200',
        String(patience),
      ]);
      await eventually('the client runs', () => one.output().includes('running'));
      return {
        async stop() {
          one.child.stdin?.end();
          await one.exited;
          const line = one.output().trim().split('\n').at(-1) ?? '';
          return JSON.parse(line) as Seen;
        },
      };
    },
    async close() {
      await lan.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  try {
    for (const node of nodes) {
      const set = (name: string, value: number): void =>
        void lan.run(node, 'sh', '-c', `echo ${value} > /proc/sys/net/ipv4/${name}`);
      set('tcp_migrate_req', migrate);
      // As in ops/sysctl.conf.
      set('conf/all/arp_ignore', 1);
      set('conf/all/arp_announce', 2);
    }
    await Promise.all(backends.map((name) => pair.startBackend(name)));
    await Promise.all(nodes.map((node) => pair.startGateway(node)));
    startKeepalived(dir, lan, running);
    await eventually('one of them has the address', () => pair.active() !== null, 15_000);
    return pair;
  } catch (error) {
    const outputs = [...running.values()].map((one) => one.output().slice(-1500));
    await pair.close();
    throw new Error(`the pair did not start\n${outputs.join('\n')}`, { cause: error });
  }
}

/** On its interface: on `lo` both have it. */
export function hasAddress(lan: Lan, node: Node, address: string): boolean {
  return lan.run(node, 'ip', '-br', 'address', 'show', 'dev', 'eth0').includes(`${address}/`);
}

function startKeepalived(dir: string, lan: Lan, running: Map<string, Hosted>): void {
  const scripts = join(dir, 'keepalived');
  // The scripts run as nobody.
  mkdirSync(scripts, { mode: 0o755 });
  lan.run('lan', 'chmod', '755', dir);
  for (const name of ['check-gateway.sh', 'notify.sh'])
    copyFileSync(source(`../../ops/keepalived/${name}`), join(scripts, name));
  const written = readFileSync(source('../../ops/keepalived/keepalived.conf'), 'utf8');
  const values: Readonly<Record<string, string>> = {
    NODE_A: lan.address('a'),
    NODE_B: lan.address('b'),
    ADDRESS: '10.77.0.10/24',
    ALWAYS: '10.77.0.10/32',
  };
  const text = written
    .replaceAll('/etc/keepalived', scripts)
    .replaceAll(/^\$(\w+)=.*$/gm, (line, name: string) =>
      values[name] === undefined ? line : `$${name}=${values[name]}`,
    );
  const file = join(dir, 'keepalived.conf');
  writeFileSync(file, text);
  for (const node of nodes) {
    const pids = ['pid', 'vrrp_pid', 'checkers_pid'].map(
      (name) => `--${name}=${join(dir, `${node}.${name}`)}`,
    );
    const one = lan.start(node, [
      'keepalived',
      '--dont-fork',
      '--log-console',
      '--log-detail',
      '--vrrp',
      `--config-id=${node}`,
      `--use-file=${file}`,
      ...pids,
    ]);
    running.set(`keepalived-${node}`, one);
  }
}

function writeGatewayFiles(dir: string, lan: Lan): string {
  const server = (name: string): { url: string } => ({ url: `http://${lan.address(name)}:8000` });
  const servers = backends.map(server);
  const dynamic = {
    http: {
      routers: {
        plain: { rule: 'PathPrefix(`/`)', service: 'plain', middlewares: ['again'] },
        protected: { rule: 'PathPrefix(`/protected`)', service: 'plain', middlewares: ['auth', 'again'] },
        sticky: { rule: 'PathPrefix(`/sticky`)', service: 'sticky', middlewares: ['again'] },
      },
      middlewares: {
        again: { retry: { attempts: 2 } },
        auth: {
          forwardAuth: {
            address: `http://${lan.address('one')}:8000/auth`,
            authResponseHeaders: ['X-User-Id'],
          },
        },
      },
      services: {
        plain: { loadBalancer: { servers } },
        sticky: { loadBalancer: { servers, sticky: { cookie: { name: 'to' } } } },
      },
    },
  };
  const lifeCycle = { requestAcceptGraceTimeout: '3s', graceTimeOut: '3s' };
  const fixed = {
    workers: 2,
    ping: {},
    log: { level: 'INFO', format: 'json' },
    entryPoints: {
      web: { address: ':80', transport: { lifeCycle } },
      traefik: { address: ':8080', transport: { lifeCycle } },
    },
    providers: { file: { filename: join(dir, 'dynamic.yml') } },
  };
  writeFileSync(join(dir, 'dynamic.yml'), JSON.stringify(dynamic));
  writeFileSync(join(dir, 'static.yml'), JSON.stringify(fixed));
  return join(dir, 'static.yml');
}
