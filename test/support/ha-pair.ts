// The pair as it is run: two gateways with keepalived, Redis, two backends and a client, each on a host of its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './gateway.ts';
import { type Authority, startAuthority } from './ha-authority.ts';
import type { Seen } from './ha-client.ts';
import { type Backend, backends, putDynamic, writeGatewayFiles } from './ha-config.ts';
import { startKeepalived } from './ha-keepalived.ts';
import { type PairRedis, redisHosts, startPairRedis } from './ha-redis.ts';
import { createLan, type Hosted, type Lan } from './namespaces.ts';

export type Node = 'a' | 'b';

export interface Pair {
  readonly lan: Lan;
  /** Clients' address of the pair. */
  readonly address: string;
  readonly redis: PairRedis;
  /** Null unless asked for. */
  readonly authority: Authority | null;
  /** Who has the address now; null for nobody, and for both. */
  active(): Node | null;
  /** Beside the one with the process id `instead`, which then leaves; or as the only one. */
  startGateway(node: Node, instead?: number): Promise<Hosted>;
  /** Waits until the gateway that runs there serves. */
  serves(node: Node): Promise<void>;
  gateway(node: Node): Hosted;
  startBackend(name: Backend): Promise<Hosted>;
  backend(name: Backend): Hosted;
  keepalived(node: Node): Hosted;
  /** Milliseconds until the address is with that node. */
  movesTo(node: Node, ms: number): Promise<number>;
  /** Its requests have `patience` milliseconds, 1,000 unless said. */
  startClient(patience?: number): Promise<Client>;
  /** How often the auth server was asked so far. */
  questions(): number;
  /** Nothing gets from one host to the other any more, and neither is told. */
  cut(one: string, other: string): void;
  heal(one: string, other: string): void;
  /** Both nodes want certificates for these names from now on, each one by itself. */
  wantCertificates(names: readonly string[]): void;
  close(): Promise<void>;
}

export interface PairOptions {
  /** A master and a replica that sentinels watch, instead of one Redis. */
  readonly sentinel?: boolean;
  /** With a certificate authority. */
  readonly authority?: boolean;
}

export interface Client {
  /** Ends the client and gives what it saw. */
  stop(): Promise<Seen>;
}

export const nodes: readonly Node[] = ['a', 'b'];
const address = '10.77.0.10';
const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export async function startPair(options: PairOptions = {}): Promise<Pair> {
  const { sentinel = false, authority = false } = options;
  const others = [...redisHosts(sentinel), ...(authority ? ['authority'] : [])];
  const lan = createLan([...nodes, ...backends, 'client', ...others]);
  // keepalived runs scripts only from where nobody but root may write.
  const dir = mkdtempSync('/run/portcullis-pair-');
  const running = new Map<string, Hosted>();
  try {
    for (const node of nodes) setKernel(lan, node);
    const redis = startPairRedis(dir, lan, sentinel);
    const acme = authority ? startAuthority(dir, lan) : null;
    const pair = createPair({ lan, dir, running, redis: await redis, authority: await acme });
    writeGatewayFiles(dir, lan, { sentinel, acme: pair.authority });
    await Promise.all(backends.map((name) => pair.startBackend(name)));
    await Promise.all(nodes.map((node) => pair.startGateway(node)));
    startKeepalived(dir, lan, running);
    await eventually('one of them has the address', () => pair.active() !== null, 15_000);
    return pair;
  } catch (error) {
    const outputs = [...running.values()].map((one) => one.output().slice(-1500));
    await lan.close();
    rmSync(dir, { recursive: true, force: true });
    throw new Error(`the pair did not start\n${outputs.join('\n')}`, { cause: error });
  }
}

/** On its interface: on `lo` both have it. */
export function hasAddress(lan: Lan, node: Node, wanted: string): boolean {
  return lan.run(node, 'ip', '-br', 'address', 'show', 'dev', 'eth0').includes(`${wanted}/`);
}

interface Parts {
  readonly lan: Lan;
  readonly dir: string;
  readonly running: Map<string, Hosted>;
  readonly redis: PairRedis;
  readonly authority: Authority | null;
}

function createPair({ lan, dir, running, redis, authority }: Parts): Pair {
  const main = source('../../src/main.ts');
  const pair: Pair = {
    lan,
    address,
    redis,
    authority,
    active() {
      const having = nodes.filter((node) => hasAddress(lan, node, address));
      return having.length === 1 ? (having[0] ?? null) : null;
    },
    async startGateway(node, instead) {
      const how = instead === undefined ? [] : ['handover', '--pid', String(instead)];
      const flags = [`--configFile=${join(dir, 'static.yml')}`];
      const one = lan.start(node, [process.execPath, main, ...how, ...flags], { cwd: dir });
      running.set(node, one);
      await eventually('the gateway listens', () => one.output().split('"listening"').length > 2, 30_000);
      return one;
    },
    async serves(node) {
      const ping = ['curl', '-sf', '-m1', 'http://127.0.0.1:8080/ping'];
      await eventually('/ping is 200', () => {
        try {
          return lan.run(node, ...ping) === 'OK';
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
    startClient: (patience = 1_000) => startClient(lan, patience),
    questions: () => Number(lan.run('client', 'curl', '-sf', `http://${lan.address('one')}:8000/asked`)),
    cut(one, other) {
      // To a neighbour that is not there: the switch throws it away. Nobody has this address.
      const nobody = ['lladdr', '02:00:00:00:00:01', 'nud', 'permanent', 'dev', 'eth0'];
      lan.run(one, 'ip', 'neighbour', 'replace', lan.address(other), ...nobody);
      lan.run(other, 'ip', 'neighbour', 'replace', lan.address(one), ...nobody);
    },
    heal(one, other) {
      lan.run(one, 'ip', 'neighbour', 'delete', lan.address(other), 'dev', 'eth0');
      lan.run(other, 'ip', 'neighbour', 'delete', lan.address(one), 'dev', 'eth0');
    },
    wantCertificates: (names) => putDynamic(dir, lan, names),
    async close() {
      await lan.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return pair;
}

async function startClient(lan: Lan, patience: number): Promise<Client> {
  const file = source('./ha-client.ts');
  const one = lan.start('client', [process.execPath, file, `http://${address}`, '200', String(patience)]);
  await eventually('the client runs', () => one.output().includes('running'));
  return {
    async stop() {
      one.child.stdin?.end();
      await one.exited;
      const line = one.output().trim().split('\n').at(-1) ?? '';
      return JSON.parse(line) as Seen;
    },
  };
}

function setKernel(lan: Lan, node: Node): void {
  const set = (name: string, value: number): void =>
    void lan.run(node, 'sh', '-c', `echo ${value} > /proc/sys/net/ipv4/${name}`);
  // As in ops/sysctl.conf.
  set('tcp_migrate_req', 1);
  set('conf/all/arp_ignore', 1);
  set('conf/all/arp_announce', 2);
}
