// Probe: Redis: reached, let in, quick enough, of the right kind, and what it does when it is full.

import type { RedisSettings } from '../../model/redis.ts';
import { openTalk, type Place, RedisSaidNo, type Talk } from '../../state/redis/talk.ts';
import type { Finding } from './finding.ts';
import type { Scene } from './scene.ts';

/** Milliseconds a request waits for Redis at most; see `docs/rate-limits.md`. */
const patience = 50;
const slow = 5;
/** Milliseconds; before the probe's own, so that it can be said which server it is. */
const deadline = 1_800;
const pings = 5;
/** Scripts that read the clock and write. */
const oldestMajor = 5;
/** Endpoints that are looked at. */
const maxPlaces = 8;

export async function probeRedis({ resolved }: Scene, ending: AbortSignal): Promise<Finding[]> {
  const redis = resolved?.redis ?? null;
  if (resolved === null || redis === null) return [];
  const signal = AbortSignal.any([ending, AbortSignal.timeout(deadline)]);
  const places = redis.endpoints.slice(0, maxPlaces);
  const looked = await Promise.all(places.map((place) => lookAt(place, redis, signal)));
  const secret = resolved.worker.stateSecret ?? null;
  const shared: Finding =
    secret === null
      ? {
          level: 'info',
          says: '`state.secret` is not written: auth decisions are not shared between nodes',
          fix: '`openssl rand -hex 32`, the same on every node and nowhere else',
        }
      : { level: 'ok', says: '`state.secret` is there' };
  return [...looked.flat(), shared];
}

/** A talk with the server that holds the data: with sentinels, the master they name. */
export async function talkToMaster(redis: RedisSettings, place: Place, signal: AbortSignal): Promise<Talk> {
  const { sentinel } = redis;
  if (sentinel === null) return openAs(place, redis, redis, signal);
  const asked = await openAs(place, redis, sentinel, signal);
  try {
    const master = await asked.ask('SENTINEL', 'get-master-addr-by-name', sentinel.masterName);
    if (!Array.isArray(master)) throw new RedisSaidNo(`the sentinel knows no master ${sentinel.masterName}`);
    return await openAs({ host: String(master[0]), port: Number(master[1]) }, redis, redis, signal);
  } finally {
    asked.close();
  }
}

/** AUTH was answered with an error, of which this is the first word. */
class NotLetIn extends Error {}

function wordOf(message: string): string {
  return /^[A-Z]{2,20}\b/.exec(message)?.[0] ?? 'refused';
}

interface Credentials {
  readonly username: string | null;
  readonly password: string | null;
}

async function openAs(
  place: Place,
  { tls }: RedisSettings,
  { username, password }: Credentials,
  signal: AbortSignal,
): Promise<Talk> {
  const talk = await openTalk(place, tls, signal);
  try {
    if (password !== null) await talk.ask('AUTH', ...(username === null ? [] : [username]), password);
    return talk;
  } catch (error) {
    talk.close();
    // A server that does not know AUTH repeats what it was given with it.
    if (error instanceof RedisSaidNo) throw new NotLetIn(wordOf(error.message));
    throw error;
  }
}

async function lookAt(place: Place, redis: RedisSettings, signal: AbortSignal): Promise<Finding[]> {
  const at = `${place.host}:${place.port}`;
  let talk: Talk | null = null;
  try {
    talk = await talkToMaster(redis, place, signal);
    if (redis.db !== 0 && !redis.cluster) await talk.ask('SELECT', String(redis.db));
    const took = await latency(talk);
    // May be forbidden to this user: what it would have said is left out then.
    const info = readInfo(String(await talk.ask('INFO').catch(() => '')));
    return judge(at, took, info, redis);
  } catch (error) {
    return [{ level: 'error', ...failure(at, error) }];
  } finally {
    talk?.close();
  }
}

async function latency(talk: Talk): Promise<number> {
  const times: number[] = [];
  for (let left = pings; left > 0; left -= 1) {
    const started = performance.now();
    if ((await talk.ask('PING')) !== 'PONG') throw new Error('what answers there is no Redis');
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(pings / 2)] ?? 0;
}

type Info = ReadonlyMap<string, string>;

function readInfo(text: string): Info {
  const lines = text.split('\r\n').map((line) => line.split(':', 2) as [string, string?]);
  return new Map(lines.map(([name, value = '']) => [name, value]));
}

function judge(at: string, took: number, info: Info, redis: RedisSettings): Finding[] {
  const version = info.get('redis_version');
  const found: Finding[] = [];
  const say = (level: Finding['level'], says: string, fix: string): void =>
    void found.push({ level, says: `${at}: ${says}`, fix });
  if (took > slow)
    say(
      took > patience ? 'error' : 'warning',
      `a question takes ${took.toFixed(1)} ms; a request waits for ${patience} ms at most`,
      'put Redis nearer to the gateway; `redis-cli --latency` shows whether it is the way or the server',
    );
  if (version !== undefined && Number.parseInt(version) < oldestMajor)
    say('error', `version ${version} is too old`, `Redis ${oldestMajor} or later; 7 is well`);
  if (info.get('role') === 'slave')
    say('error', 'it is a replica, and cannot be written to', 'name the master, or `sentinel`');
  if (info.has('cluster_enabled') && (info.get('cluster_enabled') === '1') !== redis.cluster)
    say(
      'error',
      redis.cluster ? 'it is no cluster' : 'it is part of a cluster',
      redis.cluster ? 'leave out `state.redis.cluster`' : '`state.redis.cluster: true`',
    );
  found.push(...memory(at, info));
  if (found.some(({ level }) => level !== 'info')) return found;
  const what = version === undefined ? 'answers' : `${version} answers`;
  return [{ level: 'ok', says: `${at} ${what} in ${took.toFixed(1)} ms` }, ...found];
}

function memory(at: string, info: Info): Finding[] {
  const policy = info.get('maxmemory_policy');
  const fix = '`maxmemory-policy volatile-ttl`: what never expires, like certificates, stays';
  if (policy === undefined) return [];
  if (info.get('maxmemory') === '0')
    return [
      {
        level: 'info',
        says: `${at}: no \`maxmemory\`: it takes what memory there is`,
        fix: 'set `maxmemory`, with `maxmemory-policy volatile-ttl`',
      },
    ];
  if (policy.startsWith('allkeys-'))
    return [{ level: 'warning', says: `${at}: full, it throws away certificates, too (${policy})`, fix }];
  if (policy === 'noeviction')
    return [{ level: 'warning', says: `${at}: full, it refuses to write, and limits fail (${policy})`, fix }];
  return [];
}

function failure(at: string, error: unknown): { readonly says: string; readonly fix: string } {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof NotLetIn || (error instanceof RedisSaidNo && message.startsWith('NOAUTH'))) {
    const says = `${at}: it does not let the gateway in (${wordOf(message)})`;
    return { says, fix: '`state.redis.username` and `state.redis.password`' };
  }
  if (error instanceof RedisSaidNo)
    return { says: `${at}: ${message}`, fix: 'the user of the gateway must be allowed to do that' };
  if (code === 'ECONNREFUSED')
    return { says: `${at}: nobody listens there`, fix: 'start Redis, or correct `state.redis.endpoints`' };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return {
      says: `${at}: this name has no address`,
      fix: 'correct `state.redis.endpoints`, or the network of the container',
    };
  if (code !== undefined && /CERT|SSL|TLS|SELF_SIGNED|ISSUER|EPROTO/.test(code))
    return {
      says: `${at}: no TLS with it (${code})`,
      fix: '`state.redis.tls.ca`; or Redis speaks no TLS there',
    };
  return {
    says: `${at}: ${code ?? message.slice(0, 100)}`,
    fix: 'a firewall between here and there? does Redis expect TLS?',
  };
}
