// Probe: whether this machine's clock agrees with those that matter: Redis, and the authority of certificates.

import { existsSync } from 'node:fs';
import type { Finding } from './finding.ts';
import { talkToMaster } from './redis.ts';
import type { Scene } from './scene.ts';

/** Milliseconds. */
const noticed = 2_000;
const harmful = 60_000;

interface Other {
  readonly name: string;
  /** Milliseconds this clock is ahead of it. */
  readonly ahead: number;
}

export async function probeClock({ resolved }: Scene, signal: AbortSignal): Promise<Finding[]> {
  if (resolved === null) return [];
  const { redis, resolvers } = resolved;
  const [place] = redis?.endpoints ?? [];
  const authority = resolvers[0]?.caServer;
  const asked: Promise<Other | null>[] = [];
  if (redis !== null && place !== undefined)
    asked.push(
      nullWhenAway(async () => {
        const talk = await talkToMaster(redis, place, signal);
        try {
          const { value, middle } = await timed(async () => talk.ask('TIME'));
          const [seconds, micros] = Array.isArray(value) ? value.map(Number) : [];
          if (seconds === undefined || micros === undefined) return null;
          return { name: 'Redis', ahead: middle - (seconds * 1000 + micros / 1000) };
        } finally {
          talk.close();
        }
      }),
    );
  if (authority !== undefined) asked.push(nullWhenAway(async () => askDate(authority, signal)));
  const others = (await Promise.all(asked)).filter((other) => other !== null);
  return others.length === 0 ? [alone()] : others.map(judge);
}

/** The time in the middle of a question: half of the way there is behind it. */
async function timed<T>(ask: () => Promise<T>): Promise<{ readonly value: T; readonly middle: number }> {
  const started = Date.now();
  const value = await ask();
  return { value, middle: (started + Date.now()) / 2 };
}

async function askDate(authority: string, signal: AbortSignal): Promise<Other | null> {
  const { value, middle } = await timed(async () =>
    fetch(authority, { method: 'HEAD', redirect: 'manual', signal }),
  );
  const date = Date.parse(value.headers.get('date') ?? '');
  // A date has no parts of seconds: on average half of one is cut off.
  return Number.isNaN(date) ? null : { name: new URL(authority).host, ahead: middle - (date + 500) };
}

async function nullWhenAway(ask: () => Promise<Other | null>): Promise<Other | null> {
  try {
    return await ask();
  } catch {
    // That it is away is another probe's finding.
    return null;
  }
}

function alone(): Finding {
  if (existsSync('/run/systemd/timesync/synchronized'))
    return { level: 'ok', says: 'kept right by systemd-timesyncd' };
  return {
    level: 'info',
    says: 'nobody here to compare it with',
    fix: '`timedatectl` or `chronyc tracking` say whether something keeps it right',
  };
}

function judge({ name, ahead }: Other): Finding {
  const off = Math.abs(ahead);
  if (off < noticed) return { level: 'ok', says: `agrees with ${name}` };
  const says = `${(off / 1000).toFixed(1)} s ${ahead > 0 ? 'ahead of' : 'behind'} ${name}: tokens and certificates are judged by it`;
  return {
    level: off < harmful ? 'warning' : 'error',
    says,
    fix: '`timedatectl set-ntp true`, or run chrony',
  };
}
