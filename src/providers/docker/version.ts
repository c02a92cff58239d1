// Which version of its API an engine is asked in.

import { EngineProblem } from './problems.ts';

/** The newest whose answers we know. */
const newest: Version = [1, 51];
/** What is asked for is the same since then. */
const oldest: Version = [1, 24];

export interface VersionAnswer {
  readonly status: number;
  /** The header `Api-Version`; empty: there is none. */
  readonly version: string;
  readonly text: string;
}

/** The path prefix, e.g. `/v1.41`; empty where the engine does not say, which means its own default. */
export async function negotiate(ask: (path: string) => Promise<VersionAnswer>): Promise<string> {
  const ping = await ask('/_ping');
  // Podman and proxies may leave the header out.
  const spoken = readVersion(ping.version) ?? versionOf(await ask('/version'));
  if (spoken === null) return '';
  if (compare(spoken, oldest) < 0)
    throw new EngineProblem(
      `its API is ${shown(spoken)}, older than ${shown(oldest)}`,
      'update the container engine',
    );
  return `/v${shown(compare(spoken, newest) > 0 ? newest : spoken)}`;
}

type Version = readonly [number, number];

function versionOf(answer: VersionAnswer): Version | null {
  const fromHeader = readVersion(answer.version);
  if (fromHeader !== null || answer.status !== 200) return fromHeader;
  try {
    const json = JSON.parse(answer.text) as { readonly ApiVersion?: unknown } | null;
    return readVersion(json?.ApiVersion);
  } catch {
    return null;
  }
}

function readVersion(value: unknown): Version | null {
  const match = typeof value === 'string' ? /^(\d{1,3})\.(\d{1,4})$/.exec(value) : null;
  return match === null ? null : [Number(match[1]), Number(match[2])];
}

function compare(a: Version, b: Version): number {
  return a[0] === b[0] ? a[1] - b[1] : a[0] - b[0];
}

function shown([major, minor]: Version): string {
  return `${major}.${minor}`;
}
