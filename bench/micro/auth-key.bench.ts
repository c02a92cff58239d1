// Nanoseconds per key of the auth cache beside one bare SHA-256 of the same size:
// `node bench/micro/auth-key.bench.ts`.

import { hash } from 'node:crypto';
import { AuthRequest } from '../../src/proxy/middlewares/forward-auth/auth-request.ts';
import { CacheKey } from '../../src/proxy/middlewares/forward-auth/cache-key.ts';
import { forwardAuthSchema } from '../../src/proxy/middlewares/forward-auth/options.ts';
import { exchange } from '../../test/unit/proxy/middlewares/workbench.ts';
import { bench } from './run.ts';

const token = `Bearer ${'x'.repeat(600)}`;
const headers = ['authorization', token, 'cookie', 'a=1; b=2', 'user-agent', 'Mozilla/5.0', 'accept', '*/*'];
const x = exchange({ headers });

for (const narrow of [[], ['header:authorization']]) {
  const options = forwardAuthSchema.parse({ address: 'http://auth', cache: { ttl: '10s', key: narrow } });
  const scope = {
    name: 'auth@file',
    optionsHash: 'h'.repeat(64),
    address: 'http://auth',
    bootSecret: 's'.repeat(64),
    narrow,
  };
  const key = new CacheKey(scope, new AuthRequest(options));
  bench(narrow.length === 0 ? 'everything the call carries' : 'the token only', () => key.of(x));
}
const text = 'x'.repeat(900);
bench('one SHA-256 of 900 bytes', () => hash('sha256', text, 'binary'));
