// Nanoseconds of forwardAuth for a request whose decision is kept, beside the digest that finds it:
// `node bench/micro/auth-hit.bench.ts`.

import { hash } from 'node:crypto';
import { exchange, openBench, startAuthServer } from '../../test/support/forward-auth.ts';
import { bench } from './run.ts';

const site = openBench();
const auth = await startAuthServer((_, response) => {
  response.setHeader('x-user-id', 'u1');
  response.end();
});
const { request } = site.build({
  address: auth.address,
  authRequestHeaders: ['Authorization'],
  authResponseHeaders: ['X-User-Id'],
  cache: { ttl: '60s', key: ['header:Authorization'] },
});

for (const size of [5, 600]) {
  const token = `Bearer ${'x'.repeat(size)}`;
  const headers = [
    'authorization',
    token,
    'user-agent',
    'wrk',
    'accept',
    '*/*',
    'x-forwarded-for',
    '10.1.1.1',
  ];
  await request?.(exchange({ headers }));
  const x = exchange({ headers });
  bench(`a hit, token of ${size} bytes`, () => {
    x.headers.length = 0;
    for (const text of headers) x.headers.push(text);
    return request?.(x);
  });
  const text = 'x'.repeat(size + 60);
  bench(`one SHA-256 of ${text.length} bytes`, () => hash('sha256', text, 'binary'));
}
site.close();
await auth.close();
