// Reads one round as JSON from standard input, runs autocannon, prints its result.

import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import type { AutocannonResult } from './autocannon.ts';
import type { HttpRound } from './http.ts';

type Autocannon = (options: Readonly<Record<string, unknown>>) => Promise<AutocannonResult>;

// It comes without types.
const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon;
const round = JSON.parse(await text(process.stdin)) as HttpRound;

const { requests, duration, latency, errors, non2xx } = await autocannon({
  url: `http://127.0.0.1:${round.port}`,
  connections: round.connections,
  duration: round.seconds,
  timeout: 30,
  requests: round.requests.map(({ path, method = 'GET', headers = {}, bytes }) => ({
    path,
    method,
    headers,
    ...(bytes !== undefined && { body: Buffer.alloc(bytes, 'x') }),
  })),
});
process.stdout.write(
  JSON.stringify({ requests, duration, latency, errors, non2xx } satisfies AutocannonResult),
);
