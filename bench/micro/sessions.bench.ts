// Nanoseconds to follow one of 60,000 sessions a worker knows, and bytes each of them takes: `node --expose-gc bench/micro/sessions.bench.ts`.

import { hash } from 'node:crypto';
import type { AnswerNote } from '../../src/proxy/exchange-work.ts';
import type { Exchange } from '../../src/proxy/exchange.ts';
import { StickyHeader } from '../../src/proxy/services/sticky-header.ts';
import { MemorySessions } from '../../src/state/session-table.ts';
import { Sessions } from '../../src/state/sessions.ts';
import { serverOf } from '../../test/unit/proxy/services/bench-server.ts';
import { bench } from './run.ts';

const count = 100_000;
/** What a worker has room for, and no more: the rest would be looked up in the table. */
const known = 60_000;
const ids = Array.from({ length: count }, (_, i) => `${hash('md5', String(i))}-0123`);
const servers = [8000, 8001, 8002, 8003].map((port) => serverOf(`http://10.0.0.1:${port}`));
const keys = ids.map((id) => hash('sha256', id, 'base64url').slice(0, 32));
const urls = servers.map(({ url }) => url);
const space = { space: '0123456789abcdef', ttl: 86_400_000 };

weigh('worker: bytes a session', () => {
  const sessions = new Sessions({ table: null, maxEntries: count });
  for (const [i, key] of keys.entries()) void sessions.learn(space, copyOf(key), urls[i % 4] as string);
  return sessions;
});
weigh('primary: bytes a session', () => {
  const table = new MemorySessions();
  for (const [i, key] of keys.entries())
    table.learn(space.space, copyOf(key), { ttl: space.ttl, target: copyOf(urls[i % 4] as string) });
  return table;
});

const sessions = new Sessions({ table: null, maxEntries: count });
const spec = { name: 'mcp-session-id', ttl: 86_400_000, onLost: '404' } as const;
const header = new StickyHeader('s@file', spec, servers, { sessions, salt: 'salt', refuses: false });
const x = { method: 'POST', peer: '192.0.2.1', status: 200, noteAnswer } as unknown as Exchange;
let note: AnswerNote | null = null;
for (const [i, id] of ids.slice(0, known).entries()) {
  header.begin(x, servers[i % 4] as (typeof servers)[number]);
  Object.assign(x, { responseHeaders: ['mcp-session-id', id] });
  void (note as AnswerNote | null)?.answered(x);
}
Object.assign(x, { responseHeaders: ['content-type', 'application/json'] });
const requests = ids.map((id) => ['host', 'a', 'content-type', 'b', 'mcp-session-id', id]);
bench('no session in the request', () => header.idIn(['host', 'a', 'content-type', 'b']) ?? 0);
bench('a session is followed, request and answer', (i) => {
  const headers = requests[(i * 7919) % known] as string[];
  const seat = header.seat(x, header.idIn(headers) as string);
  void (note as AnswerNote).answered(x);
  return seat;
});
const table = new MemorySessions();
for (const [i, key] of keys.entries())
  table.learn(space.space, key, { ttl: space.ttl, target: urls[i % 4] as string });
bench('the primary finds one', (i) => table.find(space.space, keys[(i * 7919) % count] as string, 1000));
table.close();

function noteAnswer(given: AnswerNote): void {
  note = given;
}

function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** Only with `--expose-gc`. */
function weigh(title: string, make: () => { readonly size: number; close(): void }): void {
  const { gc } = globalThis;
  if (gc === undefined) return;
  gc();
  const before = process.memoryUsage().heapUsed;
  const made = make();
  gc();
  const bytes = (process.memoryUsage().heapUsed - before) / made.size;
  process.stdout.write(`${title.padEnd(46)}${bytes.toFixed(0).padStart(8)} bytes, ${made.size} sessions\n`);
  made.close();
}
