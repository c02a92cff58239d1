// Nanoseconds of the header passes of one request: `node bench/micro/headers.bench.ts`.

import { Intake, type Sides, type WireRequest } from '../../src/proxy/entrypoints/intake.ts';
import { upstreamHeaders } from '../../src/proxy/upstream/request-headers.ts';
import { readResponseHeaders } from '../../src/proxy/upstream/response-headers.ts';
import { exchange } from '../../test/unit/proxy/middlewares/workbench.ts';
import { browserHeaders } from '../scenarios/browser.ts';
import { bench } from './run.ts';

const managed = new Set(['x-user-id', 'x-user-role']);
const x = exchange();
const sides: Sides = { downstream: x.downstream, body: null, isHandshake: false };
const wire: WireRequest = {
  method: 'GET',
  rawPath: '/api/users/17',
  rawQuery: 'page=2',
  peer: '192.0.2.1',
  scheme: 'http',
};
const intake = new Intake(x.entryPoint);
const browser = Object.entries(browserHeaders).map(([name, value]) => [name.toLowerCase(), value] as const);

const take = (headers: readonly (readonly [string, string])[]) => {
  intake.begin(wire.peer, managed);
  for (const [name, value] of headers) intake.header(name, value);
  return intake.build(wire, intake.finish(), sides);
};
const taken = take(browser);
if (typeof taken === 'number') throw new Error(`intake refuses with ${taken}`);

bench('intake, Host only', () => take([['host', 'shop.example.com']]));
bench(`intake, browser (${browser.length} headers)`, () => take(browser));
bench('request headers to the server', () => upstreamHeaders(taken, 'shop.example.com'));

const answer = Object.entries({
  Date: 'Mon, 01 Jan 2029 00:00:00 GMT',
  'Content-Type': 'application/json; charset=utf-8',
  'Content-Length': '1270',
  Connection: 'keep-alive',
  'Cache-Control': 'no-store',
  ETag: 'W/"4f6-abcdef"',
  Vary: 'Accept-Encoding',
  'X-Request-Id': '4f1c2b9a7d6e4c0f8a3b',
}).flat();
const raw = answer.map((text) => Buffer.from(text, 'latin1'));
bench(`response headers (${raw.length / 2}, as bytes)`, () => readResponseHeaders(raw));
bench(`response headers (${answer.length / 2}, as text)`, () => readResponseHeaders(answer));
