// Nanoseconds to make one access log line: `node bench/micro/access-log.bench.ts`.

import type { AccessLogSettings } from '../../src/model/settings.ts';
import { buildClf } from '../../src/observability/access-clf.ts';
import { buildJson } from '../../src/observability/access-json.ts';
import { type AccessRecord, createAccessRecord } from '../../src/observability/access-record.ts';
import { bench } from './run.ts';

const fields: AccessLogSettings['fields'] = {
  defaultMode: 'keep',
  names: {},
  headersDefaultMode: 'drop',
  headers: {},
  queryParameters: 'keep',
};

const browser = Object.entries({
  accept: 'text/html',
  'accept-encoding': 'gzip, br',
  'accept-language': 'en',
  'user-agent': 'Mozilla/5.0',
  cookie: 'session=abc',
  'x-forwarded-host': 'shop.example',
  'x-real-ip': '192.0.2.1',
  'x-request-id': 'r-1',
}).flat();
const answer = ['content-type', 'application/json', 'content-length', '120', 'cache-control', 'no-store'];

const record: AccessRecord = {
  ...createAccessRecord(),
  originMs: 1.25,
  originStatus: 200,
  originBytes: 120,
  status: 200,
  bytesOut: 120,
  entryPoint: 'web',
  routerName: 'shop@docker',
  serviceName: 'shop@docker',
  serverUrl: 'http://10.0.0.9:8000',
  peer: '192.0.2.1',
  method: 'GET',
  scheme: 'http',
  protocol: 'HTTP/1.1',
  authority: 'shop.example:8080',
  requestHeaders: browser,
  responseHeaders: answer,
  originHeaders: answer,
};

const cases = {
  json: buildJson(fields),
  'json, all headers': buildJson({ ...fields, headersDefaultMode: 'keep' }),
  'json, two headers': buildJson({ ...fields, headers: { 'user-agent': 'keep', referer: 'keep' } }),
  common: buildClf(fields, true),
};

for (const [title, format] of Object.entries(cases)) {
  bench(title, (i) => {
    record.startedAt = 1_767_366_245_000 + i * 0.05;
    record.durationMs = 2 + (i & 1023) * 0.01;
    record.path = `/api/items/${i & 4095}`;
    return format(record, i).length;
  });
}
