// The access log: formats, field and header modes, filters, hostile text, files.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AccessLogSettings } from '../../../src/model/settings.ts';
import { createAccessLog } from '../../../src/observability/access-log.ts';
import { type AccessRecord, createAccessRecord } from '../../../src/observability/access-record.ts';

type Fields = AccessLogSettings['fields'];
type Change = Partial<Omit<AccessLogSettings, 'fields'>> & { readonly fields?: Partial<Fields> };

const startedAt = Date.UTC(2026, 0, 2, 15, 4, 5) + 120.5;

function record(change: Partial<AccessRecord> = {}): AccessRecord {
  return {
    ...createAccessRecord(),
    startedAt,
    durationMs: 3.5,
    originMs: 1.25,
    originStatus: 200,
    originBytes: 10,
    status: 200,
    bytesOut: 10,
    bytesIn: 4,
    entryPoint: 'web',
    routerName: 'shop@docker',
    serviceName: 'shop@docker',
    serverUrl: 'http://10.0.0.9:8000',
    peer: '192.0.2.1',
    peerPort: 4711,
    method: 'GET',
    scheme: 'http',
    protocol: 'HTTP/1.1',
    authority: 'shop.example:8080',
    path: '/a',
    search: '?b=c',
    requestHeaders: ['user-agent', 'curl/8', 'referer', 'https://r.example/', 'authorization', 'Bearer abc'],
    responseHeaders: ['content-type', 'text/plain', 'set-cookie', 'a=1', 'set-cookie', 'b=2'],
    ...change,
  };
}

/** The lines that a log with these settings makes of the records. */
async function lines(t: TestContext, change: Change, ...records: AccessRecord[]): Promise<string[]> {
  const log = open(join(directory(t), 'access.log'), change);
  for (const each of records) log.write(each);
  await log.flush();
  return read(log.path);
}

function open(path: string, change: Change = {}): ReturnType<typeof createAccessLog> & { path: string } {
  const { fields, ...others } = change;
  const log = createAccessLog({
    filePath: path,
    format: 'json',
    filters: { statusCodes: [], retryAttempts: false, minDuration: 0 },
    bufferingSize: 0,
    addInternals: false,
    ...others,
    fields: {
      defaultMode: 'keep',
      names: {},
      headersDefaultMode: 'drop',
      headers: {},
      queryParameters: 'keep',
      ...fields,
    },
  });
  return Object.assign(log, { path });
}

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'access-log-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function read(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

const clf = '192.0.2.1 - - [02/Jan/2026:15:04:05 +0000] "GET /a?b=c HTTP/1.1" 200 10 "-" "-"';

test('the common format is Common Log Format with four columns more', async (t) => {
  const [line] = await lines(t, { format: 'common' }, record());
  assert.equal(line, `${clf} 1 "shop@docker" "http://10.0.0.9:8000" 3ms`);
});

test('the generic format ends with the user agent', async (t) => {
  assert.deepEqual(await lines(t, { format: 'genericCLF' }, record()), [clf]);
});

test('what is missing is a dash in Common Log Format', async (t) => {
  const change = {
    routerName: null,
    serviceName: null,
    serverUrl: null,
    status: 404,
    bytesOut: 0,
    originMs: -1,
  };
  const [line] = await lines(t, { format: 'common' }, record(change));
  assert.match(line as string, / 404 0 "-" "-" 1 "-" "-" 3ms$/);
});

test('dropped fields are dashes in Common Log Format', async (t) => {
  const [line] = await lines(t, { format: 'common', fields: { defaultMode: 'drop' } }, record());
  assert.equal(line, '- - - [-] "- - -" - - "-" "-" - "-" "-" 0ms');
});

test('referer and user agent are shown once their headers are kept', async (t) => {
  const headers = { referer: 'keep', 'user-agent': 'redact' } as const;
  const [line] = await lines(t, { format: 'genericCLF', fields: { headers } }, record());
  assert.ok(line?.endsWith('"https://r.example/" "REDACTED"'), line);
});

test('a JSON line holds every field under its name, sorted, with nanoseconds and numbers', async (t) => {
  const [line] = await lines(t, {}, record({ username: 'ann', retries: 2, tlsVersion: '1.3' }));
  const object = JSON.parse(line as string) as Record<string, unknown>;
  const { StartLocal, time, ...others } = object;
  assert.equal(new Date(StartLocal as string).getTime(), Math.floor(startedAt));
  assert.equal(new Date(time as string).getTime(), Date.UTC(2026, 0, 2, 15, 4, 5));
  assert.deepEqual(others, {
    ClientAddr: '192.0.2.1:4711',
    ClientHost: '192.0.2.1',
    ClientPort: '4711',
    ClientUsername: 'ann',
    DownstreamContentSize: 10,
    DownstreamStatus: 200,
    Duration: 3500000,
    OriginContentSize: 10,
    OriginDuration: 1250000,
    OriginStatus: 200,
    Overhead: 2250000,
    RequestAddr: 'shop.example:8080',
    RequestContentSize: 4,
    RequestCount: 1,
    RequestHost: 'shop.example',
    RequestMethod: 'GET',
    RequestPath: '/a?b=c',
    RequestPort: '8080',
    RequestProtocol: 'HTTP/1.1',
    RequestScheme: 'http',
    RetryAttempts: 2,
    RouterName: 'shop@docker',
    ServiceAddr: '10.0.0.9:8000',
    ServiceName: 'shop@docker',
    ServiceURL: 'http://10.0.0.9:8000',
    StartUTC: '2026-01-02T15:04:05.1205Z',
    TLSVersion: '1.3',
    entryPointName: 'web',
    level: 'info',
    msg: '',
  });
  assert.deepEqual(Object.keys(object), Object.keys(object).sort());
});

test('what did not happen has no field in JSON', async (t) => {
  const change = {
    originMs: -1,
    routerName: null,
    serviceName: null,
    serverUrl: null,
    peerPort: 0,
    authority: 'h',
  };
  const [line] = await lines(t, {}, record(change));
  const object = JSON.parse(line as string) as Record<string, unknown>;
  for (const name of [
    'OriginDuration',
    'OriginStatus',
    'OriginContentSize',
    'RouterName',
    'ServiceURL',
    'ClientPort',
  ]) {
    assert.ok(!(name in object), name);
  }
  assert.equal(object['RequestPort'], '-');
  assert.equal(object['ClientUsername'], '-');
  assert.equal(object['Overhead'], object['Duration']);
});

test('the client host is the forwarded list where there is one', async (t) => {
  const [line] = await lines(t, {}, record({ forwardedFor: '10.1.1.1, 10.2.2.2' }));
  assert.match(line as string, /"ClientHost":"10\.1\.1\.1, 10\.2\.2\.2"/);
});

test('a changed body size is told as a ratio', async (t) => {
  const [line] = await lines(t, {}, record({ originBytes: 100, bytesOut: 40 }));
  assert.match(line as string, /"GzipRatio":2\.5,/);
});

test('field modes are compared without case and the entry point stays', async (t) => {
  const fields: Partial<Fields> = { defaultMode: 'drop', names: { requestmethod: 'keep' } };
  const [line] = await lines(t, { fields }, record());
  assert.deepEqual(Object.keys(JSON.parse(line as string)), [
    'RequestMethod',
    'entryPointName',
    'level',
    'msg',
    'time',
  ]);
});

test('the query is left out when query parameters are dropped', async (t) => {
  const fields: Partial<Fields> = { queryParameters: 'drop' };
  assert.match((await lines(t, { fields }, record()))[0] as string, /"RequestPath":"\/a"/);
  assert.match((await lines(t, { fields, format: 'common' }, record()))[0] as string, /"GET \/a HTTP/);
});

test('headers are kept, redacted and dropped by name, in sorted order', async (t) => {
  const fields: Partial<Fields> = {
    headersDefaultMode: 'keep',
    headers: { authorization: 'redact', referer: 'drop' },
  };
  const [line] = await lines(t, { fields }, record({ originHeaders: ['x-a', '1'] }));
  const object = JSON.parse(line as string) as Record<string, unknown>;
  assert.equal(object['request_User-Agent'], 'curl/8');
  assert.equal(object['request_Authorization'], 'REDACTED');
  assert.ok(!('request_Referer' in object));
  assert.equal(object['downstream_Set-Cookie'], 'a=1,b=2');
  assert.equal(object['origin_X-A'], '1');
  assert.deepEqual(Object.keys(object), Object.keys(object).sort());
});

test('headers are not written unless asked for', async (t) => {
  for (const format of ['json', 'common', 'genericCLF'] as const) {
    const [line] = await lines(t, { format }, record());
    assert.doesNotMatch(line as string, /abc|curl|a=1/);
  }
});

const filterCases: readonly [filters: Partial<AccessLogSettings['filters']>, kept: readonly string[]][] = [
  [{}, ['ok', 'error', 'retried', 'slow']],
  [{ statusCodes: [[500, 599]] }, ['error']],
  [
    {
      statusCodes: [
        [500, 599],
        [200, 200],
      ],
    },
    ['ok', 'error', 'retried', 'slow'],
  ],
  [{ retryAttempts: true }, ['retried']],
  [{ minDuration: 10 }, ['slow']],
  [{ statusCodes: [[404, 404]], retryAttempts: true, minDuration: 10 }, ['retried', 'slow']],
];
for (const [filters, kept] of filterCases) {
  test(`the filters ${JSON.stringify(filters)} keep ${kept.join(', ')}`, async (t) => {
    const written = await lines(
      t,
      { filters: { statusCodes: [], retryAttempts: false, minDuration: 0, ...filters } },
      record({ path: 'ok' }),
      record({ path: 'error', status: 503 }),
      record({ path: 'retried', retries: 1 }),
      record({ path: 'slow', durationMs: 11 }),
    );
    const paths = written.map(
      (line) => (JSON.parse(line) as { RequestPath: string }).RequestPath.split('?')[0],
    );
    assert.deepEqual(paths, kept);
  });
}

test('internal services are logged only when asked for', async (t) => {
  const internal = record({ serviceName: 'ping@internal' });
  assert.equal((await lines(t, {}, internal)).length, 0);
  assert.equal((await lines(t, { addInternals: true }, internal)).length, 1);
});

const hostile = [
  'a\nb',
  'a\r\n192.0.2.9 - admin [x] "GET / HTTP/1.1" 200 0',
  '","level":"panic","x":"',
  '\\',
  '\\"',
  '\x1b[2J\x1b]0;owned\x07',
  '\x00\x7f\x80\x9b\xff',
  'ä'.normalize(),
  '\xe2\x80\xa8',
  '\xc2\x9b31m',
];
for (const text of hostile) {
  test(`${JSON.stringify(text)} stays inside its field`, async (t) => {
    const fields: Partial<Fields> = { headersDefaultMode: 'keep' };
    const change = {
      path: `/${text}`,
      search: '',
      username: text,
      method: text,
      authority: text,
      forwardedFor: text,
      requestHeaders: ['user-agent', text, 'referer', text],
    };
    for (const format of ['json', 'common', 'genericCLF'] as const) {
      const written = await lines(t, { format, fields }, record(change));
      assert.equal(written.length, 1, format);
      const line = written[0] as string;
      // What a terminal could act on: C0 and C1 controls, DEL, and Unicode's own line breaks.
      assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f\u2028\u2029]/, format);
      if (format === 'json') assert.equal((JSON.parse(line) as { level: string }).level, 'info');
      else assert.match(line, /^[\x20-\x7e]+$/);
    }
  });
}

test('quotes are escaped so that columns stay apart, and a user name is one column', async (t) => {
  const fields: Partial<Fields> = { headers: { 'user-agent': 'keep' } };
  const change = { username: 'a "b" c', requestHeaders: ['user-agent', 'x" 200 "y'] };
  const [line] = await lines(t, { format: 'genericCLF', fields }, record(change));
  assert.ok(line?.startsWith('192.0.2.1 - a\\x20\\"b\\"\\x20c ['), line);
  assert.ok(line?.endsWith('"-" "x\\" 200 \\"y"'), line);
});

test('UTF-8 sent by a client reads as itself in JSON', async (t) => {
  const fields: Partial<Fields> = { headersDefaultMode: 'keep' };
  const [line] = await lines(t, { fields }, record({ requestHeaders: ['x-a', 'gr\xc3\xbc\xc3\x9fe'] }));
  assert.match(line as string, /"request_X-A":"grüße"/);
});

test('an overlong value is cut', async (t) => {
  for (const format of ['json', 'common'] as const) {
    const [line] = await lines(t, { format }, record({ path: `/${'x'.repeat(100_000)}` }));
    assert.ok((line as string).length < 10_000);
    assert.match(line as string, /xxx\.\.\./);
  }
});

test('lines leave by themselves, and directories are made', async (t) => {
  const log = open(join(directory(t), 'a/b/access.log'));
  log.write(record());
  const deadline = Date.now() + 5000;
  while (read(log.path).length === 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(read(log.path).length, 1);
  assert.equal(statSync(log.path).mode & 0o600, 0o600);
});

test('after a rotation lines go to a new file and none is lost', async (t) => {
  const log = open(join(directory(t), 'access.log'));
  log.write(record({ path: '/one' }));
  await log.flush();
  renameSync(log.path, `${log.path}.1`);
  log.write(record({ path: '/two' }));
  const flushed = log.flush();
  log.reopen();
  log.write(record({ path: '/three' }));
  await flushed;
  await log.flush();
  assert.equal(read(`${log.path}.1`).length, 2);
  assert.equal(read(log.path).length, 1);
});

test('a reopen that fails keeps the old file', async (t) => {
  const at = directory(t);
  const log = open(join(at, 'logs/access.log'));
  rmSync(join(at, 'logs'), { recursive: true });
  const blocker = open(join(at, 'logs'));
  assert.throws(() => log.reopen());
  log.write(record());
  await log.flush();
  assert.equal(log.dropped, 0);
  assert.ok(existsSync(blocker.path));
});

test('two logs on one file keep their lines whole', async (t) => {
  const path = join(directory(t), 'access.log');
  const both = [open(path), open(path)];
  for (let i = 0; i < 2000; i++) for (const log of both) log.write(record({ path: `/${i}` }));
  await Promise.all(both.map((log) => log.flush()));
  const written = read(path);
  assert.equal(written.length, 4000 - both.reduce((sum, log) => sum + log.dropped, 0));
  for (const line of written) JSON.parse(line);
});

test('flushSync leaves nothing behind', (t) => {
  const log = open(join(directory(t), 'access.log'));
  log.write(record());
  log.flushSync();
  assert.equal(read(log.path).length, 1);
});
