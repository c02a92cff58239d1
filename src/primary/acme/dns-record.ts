// Whether a TXT record is where the authority will look for it.

import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { AcmeProblem } from './problem.ts';
import { pause } from './times.ts';

export interface RecordQuestion {
  /** With a full stop at its end. */
  readonly fqdn: string;
  readonly value: string;
  /** `host`, `host:port`; empty: the authoritative servers are asked. */
  readonly resolvers: readonly string[];
  /** Milliseconds, both. */
  readonly timeout: number;
  readonly interval: number;
}

/** Milliseconds for one question, asked twice. */
const questionTimeout = 3_000;
const maxServers = 16;
const maxAliases = 8;

/** Where the record belongs: the end of the CNAMEs of `fqdn`, with which a zone hands the challenge to another. */
export async function followAliases(
  fqdn: string,
  resolvers: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const resolver = await resolverFor(resolvers, signal);
  let name = bare(fqdn);
  for (let step = 0; step < maxAliases; step += 1) {
    const [next] = await resolver.resolveCname(name).catch(() => []);
    if (next === undefined) break;
    name = next.toLowerCase();
  }
  return `${name}.`;
}

/** Resolves when every server that is asked knows it; rejects with `AcmeProblem` when that takes too long. */
export async function waitForRecord(question: RecordQuestion, signal: AbortSignal): Promise<void> {
  const { fqdn, value, timeout, interval } = question;
  const end = performance.now() + timeout;
  let missing: readonly string[] = [];
  for (;;) {
    const servers = await serversFor(question, signal);
    const known = await Promise.all(
      servers.map(async (server) => hasRecord(server, { fqdn, value }, signal)),
    );
    missing = servers.filter((_, index) => known[index] !== true);
    if (servers.length > 0 && missing.length === 0) return;
    if (performance.now() + interval > end) break;
    await pause(interval, signal);
  }
  const who =
    missing.length === 0
      ? 'no server for its zone was found'
      : `not seen by ${missing.slice(0, 4).join(', ')}`;
  throw new AcmeProblem(`the TXT record ${fqdn} did not appear within ${timeout / 1000} s: ${who}`);
}

async function hasRecord(
  server: string,
  { fqdn, value }: Pick<RecordQuestion, 'fqdn' | 'value'>,
  signal: AbortSignal,
): Promise<boolean> {
  const resolver = await resolverFor([server], signal);
  const records = await resolver.resolveTxt(bare(fqdn)).catch(() => []);
  return records.some((parts) => parts.join('') === value);
}

/** `ip:port` of the servers to ask. */
async function serversFor({ fqdn, resolvers }: RecordQuestion, signal: AbortSignal): Promise<string[]> {
  if (resolvers.length > 0) return (await addressesOf(resolvers)).slice(0, maxServers);
  const resolver = await resolverFor([], signal);
  const labels = bare(fqdn).split('.');
  for (let from = 1; from < labels.length; from += 1) {
    const names = await resolver.resolveNs(labels.slice(from).join('.')).catch(() => []);
    const found = await Promise.all(
      names.slice(0, maxServers).map((name) => resolver.resolve4(name).catch(() => [])),
    );
    const addresses = found.flat();
    if (addresses.length > 0) return addresses.slice(0, maxServers).map((address) => `${address}:53`);
  }
  return [];
}

/** Asks the given servers; the system's own without any. */
async function resolverFor(servers: readonly string[], signal: AbortSignal): Promise<Resolver> {
  const resolver = new Resolver({ timeout: questionTimeout, tries: 2 });
  if (servers.length > 0) resolver.setServers(await addressesOf(servers));
  if (signal.aborted) throw signal.reason;
  signal.addEventListener('abort', () => resolver.cancel(), { once: true });
  return resolver;
}

async function addressesOf(servers: readonly string[]): Promise<string[]> {
  return Promise.all(servers.map(addressOf));
}

async function addressOf(server: string): Promise<string> {
  if (isIP(server) === 6) return `[${server}]:53`;
  const match = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i.exec(server);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined)
    throw new AcmeProblem(`\`${server.slice(0, 100)}\` is no DNS server: expected \`host:port\``);
  const address = isIP(host) === 0 ? await addressOfName(host) : host;
  return `${isIP(address) === 6 ? `[${address}]` : address}:${match?.[3] ?? 53}`;
}

async function addressOfName(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch {
    throw new AcmeProblem(`the DNS server \`${host.slice(0, 100)}\` has no address`);
  }
}

function bare(fqdn: string): string {
  return fqdn.replace(/\.$/, '');
}
