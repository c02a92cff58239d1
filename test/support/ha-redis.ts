// Redis for the pair, on a host of its own, or a master and a replica on two with three sentinels beside them.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './gateway.ts';
import { sentinelHosts } from './ha-config.ts';
import type { Hosted, Lan } from './namespaces.ts';

export type RedisHost = 'redis' | 'replica';

export interface PairRedis {
  /** `cli('redis', 'GET', 'key')`: what `redis-cli` prints. */
  cli(host: RedisHost, ...args: readonly string[]): string;
  /** SIGKILL; it forgets everything. */
  kill(host: RedisHost): Promise<void>;
  start(host: RedisHost): Promise<void>;
  /** Stops it from answering, without closing anything. */
  pause(host: RedisHost): void;
  resume(host: RedisHost): void;
  /** Whom the sentinels call the master. */
  master(): RedisHost;
  /** Waits until the other one of the two follows the master, and all sentinels know. */
  isWhole(): Promise<void>;
}

export function redisHosts(sentinel: boolean): readonly RedisHost[] {
  return sentinel ? ['redis', 'replica'] : ['redis'];
}

export async function startPairRedis(dir: string, lan: Lan, sentinel: boolean): Promise<PairRedis> {
  const running = new Map<RedisHost, Hosted>();
  const cli = (host: string, ...args: readonly string[]): string =>
    lan.run(host, 'timeout', '2', 'redis-cli', ...args).trim();
  const redis: PairRedis = {
    cli,
    async kill(host) {
      const one = running.get(host);
      one?.killGroup('SIGKILL');
      await one?.exited;
    },
    async start(host) {
      const other = host === 'redis' ? 'replica' : 'redis';
      const follows = sentinel && running.has(other) ? ['--replicaof', lan.address(other), '6379'] : [];
      const flags = ['--protected-mode', 'no', '--save', '', '--appendonly', 'no', '--dir', dir];
      const own = ['--port', '6379', '--bind', '0.0.0.0', '--repl-diskless-sync-delay', '0'];
      running.set(host, lan.start(host, ['redis-server', ...own, ...flags, ...follows]));
      await eventually('Redis answers', () => isThere(() => cli(host, 'PING') === 'PONG'));
    },
    pause: (host) => running.get(host)?.killGroup('SIGSTOP'),
    resume: (host) => running.get(host)?.killGroup('SIGCONT'),
    master() {
      const [address = ''] = cli('one', '-p', '26379', 'SENTINEL', 'get-master-addr-by-name', 'main').split(
        '\n',
      );
      return address === lan.address('replica') ? 'replica' : 'redis';
    },
    async isWhole() {
      await eventually(
        'the sentinels know each other and a replica that follows',
        () =>
          isThere(() => {
            const following = cli(redis.master(), 'INFO', 'replication').includes('state=online');
            const asked = sentinelHosts.map((host) => cli(host, '-p', '26379', 'INFO', 'sentinel'));
            return (
              following &&
              asked.every((info) => info.includes('status=ok,') && info.includes('slaves=1,sentinels=3'))
            );
          }),
        30_000,
      );
    },
  };
  for (const host of redisHosts(sentinel)) await redis.start(host);
  if (sentinel) {
    for (const host of sentinelHosts) startSentinel(dir, lan, host);
    await redis.isWhole();
  }
  return redis;
}

function startSentinel(dir: string, lan: Lan, host: string): void {
  const file = join(dir, `sentinel-${host}.conf`);
  const lines = [
    'port 26379',
    'bind 0.0.0.0',
    'protected-mode no',
    `dir ${dir}`,
    `sentinel monitor main ${lan.address('redis')} 6379 2`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 3000',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  lan.start(host, ['redis-server', file, '--sentinel']);
}

function isThere(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
