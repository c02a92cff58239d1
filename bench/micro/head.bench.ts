// Nanoseconds to read the head of a server's answer: `node bench/micro/head.bench.ts`.

import { Head } from '../../src/proxy/upstream/http1/head.ts';
import { parseHead } from '../../src/proxy/upstream/http1/head-parser.ts';
import { bench } from './run.ts';

const five: readonly (readonly [string, string])[] = [
  ['Server', 'nginx/1.22.1'],
  ['Date', 'Mon, 01 Jan 2029 00:00:00 GMT'],
  ['Content-Type', 'application/json; charset=utf-8'],
  ['Content-Length', '1270'],
  ['Connection', 'keep-alive'],
];

const twenty: typeof five = [
  ...five,
  ['Cache-Control', 'private, no-cache, no-store, must-revalidate'],
  ['ETag', 'W/"4f6-2b9a7d6e4c0f8a3b"'],
  ['Last-Modified', 'Sun, 31 Dec 2028 12:00:00 GMT'],
  ['Vary', 'Accept-Encoding, Accept-Language'],
  ['Set-Cookie', 'session=4f1c2b9a7d6e4c0f8a3b; Path=/; HttpOnly; Secure; SameSite=Lax'],
  ['Set-Cookie', 'theme=dark; Path=/; Max-Age=31536000'],
  ['X-Request-Id', '4f1c2b9a-7d6e-4c0f-8a3b-0d1e2f3a4b5c'],
  ['X-Runtime', '0.012417'],
  ['X-Frame-Options', 'DENY'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Strict-Transport-Security', 'max-age=63072000; includeSubDomains'],
  ['Content-Security-Policy', "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
  ['Permissions-Policy', 'camera=(), microphone=(), geolocation=()'],
  ['Link', '</style.css>; rel=preload; as=style'],
];

for (const lines of [five, twenty]) {
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${text}\r\n`, 'latin1');
  const head = new Head();
  if (parseHead(bytes, 0, bytes.length, head) !== bytes.length) throw new Error(`refused: ${head.problem}`);
  bench(`${lines.length} headers, ${bytes.length} bytes`, () => parseHead(bytes, 0, bytes.length, head));
}
