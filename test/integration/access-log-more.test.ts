// The access log beyond its lines' fields: the short format with the tools people use on it, a second output, TLS and
// traces in it, and files that rotate themselves.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { eventually, runCommand, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { startOtlpHttp } from '../support/otlp-receiver.ts';
import { makeAuthority } from '../support/pki.ts';
import { tlsAsk } from '../support/tls-client.ts';

let origin: Origin;
before(async () => {
  origin = await startOrigin();
});
after(() => origin?.stop());

function routes(more: object = {}): object {
  return {
    http: {
      routers: { all: { rule: 'PathPrefix(`/`)', service: 'all', ...more } },
      services: { all: { loadBalancer: { servers: [{ url: origin.url }] } } },
    },
  };
}

async function start(t: TestContext, config: object, workers = 1): Promise<TestGateway> {
  const gateway = await startGateway({
    static: { entryPoints: { web: {} }, ...config, workers },
    dynamic: routes(),
  });
  t.after(() => gateway.stop());
  return gateway;
}

function textOf(gateway: TestGateway, file = 'access.log'): string {
  return readFileSync(join(gateway.dir, file), 'utf8');
}

async function lines(gateway: TestGateway, count: number): Promise<Record<string, unknown>[]> {
  await eventually(`${count} lines`, () => textOf(gateway).split('\n').length > count);
  return textOf(gateway)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const noJq = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',').includes('jq') && 'jq is missing';

test('short lines are what jq and sort are told to read', { skip: noJq }, async (t) => {
  const gateway = await start(t, { accessLog: { filePath: 'access.log', format: 'short' } });
  for (const target of ['/mcp', '/a', '/mcp', '/a"b', '/mcp'])
    await ask(gateway.port('web'), { host: 'a.test', target });
  const [first] = await lines(gateway, 5);
  assert.deepEqual(Object.keys(first ?? {}), ['time', 'status', 'method', 'path', 'duration']);
  assert.match(String(first?.['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const run = (command: string): string[] =>
    execFileSync('sh', ['-c', command], { cwd: gateway.dir, encoding: 'utf8' }).trimEnd().split('\n');
  const top = run("cat access.log | jq -r '.path' | sort | uniq -c | sort -nr");
  assert.match(top[0] ?? '', /^ +3 \/mcp$/);
  const durations = run("cat access.log | jq -r '.duration' | sort -n").map((text) =>
    Number.parseFloat(text),
  );
  assert.equal(durations.length, 5);
  assert.deepEqual(
    durations,
    [...durations].sort((a, b) => a - b),
  );
});

test('lines go to standard output as well when that is wanted', async (t) => {
  const gateway = await start(t, {
    accessLog: { filePath: 'access.log', format: 'short', dualOutput: true },
  });
  await ask(gateway.port('web'), { host: 'a.test', target: '/both' });
  await lines(gateway, 1);
  await gateway.waitForLog(/"path":"\/both"/);
});

test('a traced request’s line has the ids of its trace, another’s has none', async (t) => {
  const receiver = await startOtlpHttp();
  t.after(() => receiver.stop());
  const gateway = await start(t, {
    accessLog: { filePath: 'access.log', format: 'json' },
    tracing: { sampleRate: 0, otlp: { http: { endpoint: `http://127.0.0.1:${receiver.port}` } } },
  });
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  await ask(gateway.port('web'), {
    host: 'a.test',
    headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  });
  await ask(gateway.port('web'), { host: 'a.test' });
  const [traced, other] = await lines(gateway, 2);
  await eventually('spans', () => receiver.spans.length === 2);
  const root = receiver.spans.find(({ name }) => name === 'EntryPoint');
  for (const name of ['TraceId', 'trace_id']) assert.equal(traced?.[name], trace);
  for (const name of ['SpanId', 'span_id']) assert.equal(traced?.[name], root?.spanId);
  for (const name of ['TraceId', 'trace_id', 'SpanId', 'span_id']) assert.equal(other?.[name], undefined);
  const names = Object.keys(traced ?? {});
  assert.deepEqual(names, [...names].sort());
});

test('a line says how TLS was spoken and what the client’s certificate is for', async (t) => {
  const authority = makeAuthority();
  t.after(() => authority.close());
  const gateway = await startGateway({
    static: {
      entryPoints: { web: { engine: 'node' } },
      accessLog: { filePath: 'access.log', format: 'json' },
    },
  });
  t.after(() => gateway.stop());
  const server = authority.issue(['a.test']);
  const client = authority.issue(['alice.test'], { client: true, subject: '/C=DE/O=Acme, Inc/CN=alice' });
  for (const [name, text] of Object.entries({
    'a.crt': server.cert,
    'a.key': server.key,
    'ca.crt': authority.root,
  }))
    writeFileSync(join(gateway.dir, name), text);
  const file = (name: string): string => join(gateway.dir, name);
  await gateway.writeDynamic({
    ...routes({ rule: 'Host(`a.test`)', tls: { options: 'mutual' } }),
    tls: {
      certificates: [{ certFile: file('a.crt'), keyFile: file('a.key') }],
      options: {
        mutual: { clientAuth: { caFiles: [file('ca.crt')], clientAuthType: 'VerifyClientCertIfGiven' } },
      },
    },
  });
  const request = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';
  await eventually('TLS is served', async () => {
    const { status } = await tlsAsk(
      gateway.port('web'),
      { servername: 'a.test', ...client, maxVersion: 'TLSv1.3' },
      request,
    );
    return status === 200;
  });
  const port = gateway.port('web');
  const plain = await tlsAsk(port, { servername: 'a.test', maxVersion: 'TLSv1.2' }, request);
  assert.equal(plain.status, 200, plain.text);
  await eventually('both lines', () => textOf(gateway).includes('"TLSVersion":"1.2"'));
  const all = await lines(gateway, 2);
  const known = all.find((line) => line['TLSVersion'] === '1.3');
  assert.match(String(known?.['TLSCipher']), /^TLS_AES_/);
  assert.equal(known?.['TLSClientSubject'], 'CN=alice,O=Acme\\, Inc,C=DE');
  const stranger = all.find((line) => line['TLSVersion'] === '1.2');
  assert.match(String(stranger?.['TLSCipher']), /^TLS_ECDHE_/);
  assert.equal(stranger?.['TLSClientSubject'], undefined);
});

test('workers that share a file rotate it together and lose no line', async (t) => {
  const gateway = await start(
    t,
    { accessLog: { filePath: 'access.log', format: 'short', rotation: { maxSize: 1, maxBackups: 3 } } },
    2,
  );
  const files = (): string[] => readdirSync(gateway.dir).filter((name) => name.startsWith('access'));
  const long = 'x'.repeat(6000);
  let sent = 0;
  await eventually(
    'a second file',
    async () => {
      const some = Array.from({ length: 20 }, () =>
        ask(gateway.port('web'), { host: 'a.test', target: `/${sent++}${long}` }),
      );
      await Promise.all(some);
      return files().length >= 2;
    },
    30_000,
  );
  const all = (): string[] => files().flatMap((name) => textOf(gateway, name).trimEnd().split('\n'));
  await eventually('all lines', () => all().length >= sent);
  const seen = new Set(all().map((line) => (JSON.parse(line) as { path: string }).path));
  assert.equal(seen.size, sent);
});

test('logs over OTLP are refused, with what to do instead', async () => {
  const { code, output } = await runCommand([
    'check',
    '--accesslog.otlp=true',
    '--log.otlp=true',
    '--providers.file.directory=.',
  ]);
  assert.notEqual(code, 0);
  assert.match(output, /accesslog\.otlp/i);
  assert.match(output, /let a collector read the lines/);
});
