// Names an answer is likely to carry: found by their bytes in any case, so that most heads make no name.

import { hopByHop } from '../hop-by-hop.ts';
import { tokenLower } from './grammar.ts';

/** What the head parser does with a field. */
export const pass = 0;
export const drop = 1;
export const contentLength = 2;
export const transferEncoding = 3;
export const connection = 4;
export const keepAlive = 5;
export const authenticate = 6;

export interface FieldName {
  /** Lower case. */
  readonly name: string;
  readonly action: number;
}

const special: Readonly<Record<string, number>> = {
  ...Object.fromEntries([...hopByHop].map((name) => [name, drop])),
  'content-length': contentLength,
  'transfer-encoding': transferEncoding,
  connection,
  'keep-alive': keepAlive,
  'www-authenticate': authenticate,
};

const usual = `accept-ranges access-control-allow-credentials access-control-allow-headers
  access-control-allow-methods access-control-allow-origin access-control-expose-headers
  access-control-max-age age allow alt-svc cache-control content-disposition content-encoding
  content-language content-location content-range content-security-policy content-type date
  cross-origin-embedder-policy cross-origin-opener-policy cross-origin-resource-policy etag expires
  last-modified link location mcp-session-id nel origin-agent-cluster p3p permissions-policy pragma
  ratelimit-limit ratelimit-remaining ratelimit-reset referrer-policy refresh report-to retry-after server
  server-timing set-cookie strict-transport-security timing-allow-origin traceparent vary via warning
  x-accel-buffering x-cache x-content-type-options x-correlation-id
  x-dns-prefetch-control x-download-options x-frame-options x-permitted-cross-domain-policies
  x-powered-by x-ratelimit-limit x-ratelimit-remaining x-ratelimit-reset x-request-id x-robots-tag
  x-runtime x-trace-id x-ua-compatible x-xss-protection`;

/** Slots of the hash table: a power of two well above the number of names. */
const slots = 512;
const table: readonly (FieldName | null)[] = makeTable();

/** Adds one byte of a name, by its `tokenLower`, to its hash. */
export function hashByte(hash: number, lower: number): number {
  return (Math.imul(hash, 31) + lower) | 0;
}

/** The name at `bytes[start, end)` whose bytes gave `hash`, or null when it is none of the usual ones. */
export function findName(bytes: Uint8Array, start: number, end: number, hash: number): FieldName | null {
  for (let slot = hash & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
    const candidate = table[slot] as FieldName | null;
    if (candidate === null) return null;
    if (isName(candidate.name, bytes, start, end)) return candidate;
  }
}

function isName(name: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) {
    if (name.charCodeAt(i) !== tokenLower[bytes[start + i] as number]) return false;
  }
  return true;
}

function makeTable(): readonly (FieldName | null)[] {
  const made = Array.from<FieldName | null>({ length: slots }).fill(null);
  for (const name of [...Object.keys(special), ...usual.split(/\s+/)]) {
    let hash = 0;
    for (let i = 0; i < name.length; i++) hash = hashByte(hash, name.charCodeAt(i));
    let slot = hash & (slots - 1);
    while (made[slot] !== null) slot = (slot + 1) & (slots - 1);
    made[slot] = { name, action: special[name] ?? pass };
  }
  return made;
}
