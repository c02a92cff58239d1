// A program of its own, for the test runner follows every promise and so keeps garbage of its own. Prints how
// many bytes each question to the auth server leaves to the full collection, as JSON: without a cache, and
// when a cache misses.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Hooks } from '../../src/proxy/hooks.ts';
import { exchange, openBench } from './forward-auth.ts';

setFlagsFromString('--expose-gc');
type Collect = (options: { readonly type: 'minor' | 'major' }) => void;
const collect = runInNewContext('gc') as Collect;

// No HTTP server of Node: this process must hold next to nothing that is not the gateway's.
const reply = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-user-id: u1\r\n\r\n');
const server = net.createServer((socket) => {
  socket.on('data', () => socket.write(reply));
  socket.on('error', () => {});
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth`;
const bench = openBench();

const together = 64;
const rounds = 100;

const cache = { ttl: '60s', maxEntries: 10, key: ['header:Authorization'] };
const options = { address, authResponseHeaders: ['X-User-Id'] };
const uncached = await bytesLeft(bench.build(options));
const missed = await bytesLeft(bench.build({ ...options, cache }));
process.stdout.write(JSON.stringify({ uncached, missed }));
process.exit(0);

/** Of one question: what lies dead in the old generation, because something dead there points to it. */
async function bytesLeft(hooks: Hooks): Promise<number> {
  await askAll(hooks, 'warm', 20);
  collect({ type: 'major' });
  await askAll(hooks, 'cold', rounds);
  collect({ type: 'minor' });
  collect({ type: 'minor' });
  const { heapUsed } = process.memoryUsage();
  collect({ type: 'major' });
  return Math.round((heapUsed - process.memoryUsage().heapUsed) / (rounds * together));
}

async function askAll(hooks: Hooks, name: string, times: number): Promise<void> {
  let number = 0;
  const askOn = async (): Promise<void> => {
    while (number < times * together) {
      number++;
      const headers = ['authorization', `Bearer ${name}${number}`];
      assert.equal(await hooks.request?.(exchange({ headers })), 0);
      if (number % (together * 5) === 0) collect({ type: 'minor' });
    }
  };
  await Promise.all(Array.from({ length: together }, askOn));
}
