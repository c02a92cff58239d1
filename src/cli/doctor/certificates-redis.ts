// Certificates that several nodes share in Redis: when they end, and whether they can be read.

import type { RedisSettings } from '../../model/redis.ts';
import { acmePrefix } from '../../primary/acme/storage-redis-calls.ts';
import { readCertificate } from '../../primary/acme/storage-redis-entries.ts';
import { type Place, RedisSaidNo, type Talk } from '../../state/redis/talk.ts';
import { type End, endOf, judge, whyNotRenewed } from './certificate-ends.ts';
import type { Finding } from './finding.ts';
import { talkToMaster } from './redis.ts';

/** Entries asked for in one step, so that Redis is not held up. */
const pageSize = 50;
/** Certificates of one resolver that are looked at: as many as a gateway keeps. */
const maxCertificates = 2_000;

interface Held {
  readonly ends: End[];
  unreadable: number;
}

/** That Redis is away is another probe's finding: here it is said only what that leaves open. */
export async function probeRedisCertificates(
  redis: RedisSettings,
  resolvers: readonly string[],
  signal: AbortSignal,
): Promise<Finding[]> {
  if (resolvers.length === 0) return [];
  const held: Held = { ends: [], unreadable: 0 };
  try {
    for (const resolver of resolvers) await readHeld(redis, resolver, held, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    const fix = 'see what is said of `redis`';
    return [{ level: 'warning', says: 'in Redis: they cannot be looked at', fix }];
  }
  const { ends, unreadable } = held;
  const findings = judge(ends, 'in Redis', whyNotRenewed);
  if (unreadable > 0)
    findings.push({
      level: 'warning',
      says: `in Redis: ${unreadable} cannot be read and are left out`,
      fix: 'what is wanted of them is ordered anew; did somebody else write there?',
    });
  return findings.length > 0 ? findings : [{ level: 'ok', says: 'Redis holds none yet' }];
}

async function readHeld(
  redis: RedisSettings,
  resolver: string,
  held: Held,
  signal: AbortSignal,
): Promise<void> {
  const key = `${acmePrefix(redis.keyPrefix, resolver)}certificates`;
  const talk = await talkToHolder(redis, key, signal);
  // A scan may give a field twice.
  const seen = new Set<string>();
  try {
    let cursor = '0';
    do {
      const page = await talk.ask('HSCAN', key, cursor, 'COUNT', String(pageSize));
      const [next, pairs] = Array.isArray(page) ? (page as [string, readonly string[]]) : ['0', []];
      cursor = String(next);
      for (let i = 0; i + 1 < pairs.length && seen.size < maxCertificates; i += 2) {
        const field = pairs[i] as string;
        if (seen.has(field)) continue;
        seen.add(field);
        note(pairs[i + 1] as string, held);
      }
    } while (cursor !== '0' && seen.size < maxCertificates);
  } finally {
    talk.close();
  }
}

function note(entry: string, held: Held): void {
  const certificate = readCertificate(entry);
  try {
    if (certificate === null) held.unreadable += 1;
    else held.ends.push(endOf(certificate.main, certificate.cert));
  } catch {
    held.unreadable += 1;
  }
}

/** The first endpoint that lets us in; in a cluster, the node that has the key. Rejects as the last one did. */
async function talkToHolder(redis: RedisSettings, key: string, signal: AbortSignal): Promise<Talk> {
  let failed: unknown = new Error('no endpoint');
  for (const place of redis.endpoints) {
    try {
      return await talkAt(redis, place, key, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      failed = error;
    }
  }
  throw failed;
}

async function talkAt(redis: RedisSettings, place: Place, key: string, signal: AbortSignal): Promise<Talk> {
  const talk = await talkToMaster(redis, place, signal);
  try {
    if (redis.db !== 0 && !redis.cluster) await talk.ask('SELECT', String(redis.db));
    await talk.ask('HLEN', key);
    return talk;
  } catch (error) {
    talk.close();
    const moved = movedTo(error, place);
    if (!redis.cluster || moved === null) throw error;
    return await talkToMaster(redis, moved, signal);
  }
}

/** `MOVED 1234 host:port`; without a host it is the one that says so. */
function movedTo(error: unknown, { host }: Place): Place | null {
  if (!(error instanceof RedisSaidNo)) return null;
  const [, found = '', port] = /^MOVED \d+ (.*):(\d+)$/.exec(error.message) ?? [];
  return port === undefined ? null : { host: found === '' ? host : found, port: Number(port) };
}
