// The static configuration: sources, precedence, statuses, and what the workers get.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { loadStatic } from '../../../src/config/static/load.ts';
import { staticKeys } from '../../../src/config/static/keys.ts';
import { placed } from '../../../src/config/static/problem.ts';
import { parseAddress } from '../../../src/config/static/resolve-entry-point.ts';
import { resolveStatic } from '../../../src/config/static/resolve.ts';

function folder(context: TestContext, files: Record<string, string> = {}): string {
  const made = mkdtempSync(path.join(tmpdir(), 'portcullis-static-'));
  context.after(() => rmSync(made, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(made, name)), { recursive: true });
    writeFileSync(path.join(made, name), text);
  }
  return made;
}

function fromFlags(context: TestContext, ...argv: string[]) {
  return loadStatic({ argv, env: {}, cwd: folder(context) });
}

function resolvedFlags(context: TestContext, ...argv: string[]) {
  const { config, diagnostics } = fromFlags(context, ...argv);
  assert.ok(config, JSON.stringify(diagnostics));
  return resolveStatic(config, 'secret');
}

test('a file wins over flags, flags over variables, and what is ignored is named', (context) => {
  const cwd = folder(context, { 'traefik.yml': 'ping: {}\n' });
  const env = { TRAEFIK_LOG_LEVEL: 'debug' };
  const file = loadStatic({ argv: ['--log.level=info'], env, cwd });
  assert.equal(file.usedSource, 'file');
  assert.deepEqual(file.files, [path.join(cwd, 'traefik.yml')]);
  assert.deepEqual(file.ignoredSources, ['flags (--log.level)', 'environment (TRAEFIK_LOG_LEVEL)']);
  assert.equal(file.config?.log, undefined);
  assert.deepEqual(
    file.diagnostics.map(({ code }) => code),
    ['config.ignored_source'],
  );
  const empty = folder(context);
  assert.equal(loadStatic({ argv: ['--ping'], env, cwd: empty }).usedSource, 'flags');
  const fromEnv = loadStatic({ argv: [], env, cwd: empty });
  assert.equal(fromEnv.usedSource, 'env');
  assert.equal(fromEnv.config?.log?.level, 'debug');
  assert.equal(loadStatic({ argv: [], env: {}, cwd: empty }).usedSource, 'none');
});

test('files are looked for in XDG_CONFIG_HOME, then HOME, then here', (context) => {
  const cwd = folder(context, {
    'xdg/traefik.toml': '[ping]\nterminatingStatusCode = 204\n',
    'home/.config/traefik.yaml': 'ping: {}',
    'traefik.yml': 'api: {}',
  });
  const inXdg = loadStatic({
    argv: [],
    env: { XDG_CONFIG_HOME: path.join(cwd, 'xdg'), HOME: path.join(cwd, 'home') },
    cwd,
  });
  assert.equal(inXdg.config?.ping?.terminatingStatusCode, 204);
  const inHome = loadStatic({ argv: [], env: { HOME: path.join(cwd, 'home') }, cwd });
  assert.ok(inHome.config?.ping);
});

test('a --configFile that does not exist is an error', (context) => {
  const loaded = fromFlags(context, '--configfile', 'nowhere.yml');
  assert.equal(loaded.config, null);
  assert.equal(loaded.diagnostics[0]?.code, 'config.file');
});

test('an unknown top-level key of a file warns, of flags fails', (context) => {
  const cwd = folder(context, { 'traefik.yml': 'ping: {}\nhttp: {routers: {}}\n' });
  const loaded = loadStatic({ argv: [], env: {}, cwd });
  assert.ok(loaded.config);
  assert.deepEqual(
    loaded.diagnostics.map(({ severity, code }) => [severity, code]),
    [['warning', 'config.unknown_key']],
  );
  assert.equal(fromFlags(context, '--entrypoint.web.address=:80').config, null);
  assert.equal(loadStatic({ argv: [], env: { TRAEFIK_LOGFOO: '1' }, cwd: folder(context) }).config, null);
});

test('sections without effect warn once, refused and removed keys fail', (context) => {
  const later = fromFlags(context, '--hostresolver=true', '--hostresolver.resolvdepth=2');
  assert.ok(later.config);
  assert.deepEqual(
    later.diagnostics.map(({ code }) => code),
    ['config.no_effect'],
  );
  for (const flag of [
    '--providers.swarm',
    '--providers.consul.endpoints=x',
    '--entrypoints.web.proxyprotocol.insecure',
    '--entrypoints.web.http3',
  ]) {
    const { config, diagnostics } = fromFlags(context, flag);
    assert.equal(config, null, flag);
    assert.ok(
      diagnostics.some(({ code }) => code === 'config.unsupported'),
      flag,
    );
  }
  for (const flag of [
    '--providers.docker.swarmmode=false',
    '--pilot.token=x',
    '--experimental.http3',
    '--tracing.jaeger',
    '--metrics.influxdb',
  ]) {
    const { config, diagnostics } = fromFlags(context, flag);
    assert.equal(config, null, flag);
    assert.ok(
      diagnostics.some(({ code, hint }) => code === 'config.removed' && hint !== undefined),
      flag,
    );
  }
  assert.deepEqual(fromFlags(context, '--providers.docker=false').diagnostics, []);
});

test('a removed key in a file fails, though it stands at the top level', (context) => {
  const cwd = folder(context, { 'traefik.yml': 'pilot: {token: x}\n' });
  assert.equal(loadStatic({ argv: [], env: {}, cwd }).config, null);
});

test('the flags of a usual compose file are read', (context) => {
  const resolved = resolvedFlags(
    context,
    '--api.dashboard=true',
    '--providers.docker=true',
    '--providers.docker.exposedbydefault=false',
    '--providers.file.directory=/middlewares',
    '--providers.file.watch=true',
    '--entrypoints.web.address=:80',
    '--entrypoints.websecure.address=:443',
    '--entrypoints.web.http.redirections.entrypoint.to=websecure',
    '--entrypoints.web.http.redirections.entrypoint.scheme=https',
    '--certificatesresolvers.le.acme.httpchallenge.entrypoint=web',
    '--log.level=INFO',
    '--accesslog=true',
    '--accesslog.filepath=/logs/access.log',
  );
  assert.deepEqual(resolved.diagnostics, []);
  assert.deepEqual(
    resolved.entryPoints.map(({ name, host, port }) => [name, host, port]),
    [
      ['web', '', 80],
      ['websecure', '', 443],
    ],
  );
  assert.deepEqual(resolved.entryPoints[0]?.http.redirection, {
    to: 'websecure',
    scheme: 'https',
    permanent: true,
    priority: 9223372036854775806n,
  });
  assert.equal(resolved.worker.log.level, 'info');
  assert.equal(resolved.worker.accessLog?.filePath, '/logs/access.log');
  assert.equal(resolved.worker.bootSecret, 'secret');
});

test('entry points nobody wrote: http on :80, traefik on :8080 for ping and the insecure API', (context) => {
  const names = (...argv: string[]) =>
    resolvedFlags(context, ...argv).entryPoints.map(({ name, port }) => `${name}:${port}`);
  assert.deepEqual(names(), ['http:80']);
  assert.deepEqual(names('--ping'), ['http:80', 'traefik:8080']);
  assert.deepEqual(names('--api.insecure', '--entrypoints.web.address=:1'), ['web:1', 'traefik:8080']);
  assert.deepEqual(names('--ping', '--entrypoints.traefik.address=:9'), ['traefik:9']);
  assert.deepEqual(names('--ping.manualrouting'), ['http:80']);
  assert.deepEqual(names('--api'), ['http:80']);
});

test('addresses', () => {
  assert.deepEqual(parseAddress(':80'), { host: '', port: 80 });
  assert.deepEqual(parseAddress('127.0.0.1:80/tcp'), { host: '127.0.0.1', port: 80 });
  assert.deepEqual(parseAddress('[::1]:0'), { host: '::1', port: 0 });
  for (const wrong of [undefined, '', '80', ':70000', ':80/udp', ':80/sctp', '::1:80', ':x'])
    assert.equal(typeof parseAddress(wrong), 'string', wrong);
});

test('what cannot work together is refused', (context) => {
  const problems = (...argv: string[]) =>
    resolvedFlags(context, ...argv).diagnostics.map(({ where }) => where.path);
  assert.deepEqual(problems('--entrypoints.a.address=:80', '--entrypoints.b.address=0.0.0.0:80'), [
    'entryPoints.b.address',
  ]);
  assert.deepEqual(problems('--entrypoints.a.address=:0', '--entrypoints.b.address=:0'), []);
  assert.deepEqual(problems('--entrypoints.a.asdefault'), ['entryPoints.a.address']);
  const to = '--entrypoints.a.http.redirections.entrypoint.to';
  assert.deepEqual(problems('--entrypoints.a.address=:1', `${to}=b`), [
    'entryPoints.a.http.redirections.entryPoint.to',
  ]);
  assert.deepEqual(problems('--entrypoints.a.address=:1', `${to}=:443`), []);
  assert.deepEqual(
    problems('--entrypoints.a.address=:1', '--entrypoints.a.forwardedheaders.trustedips=10.0.0.0/99'),
    ['entryPoints.a.forwardedHeaders.trustedIPs'],
  );
  assert.deepEqual(problems('--workers=0'), ['workers']);
  assert.deepEqual(problems('--ping.entrypoint=x'), ['ping.entryPoint']);
  assert.deepEqual(problems('--api.basepath=x'), ['api.basePath']);
  assert.deepEqual(problems('--accesslog.filters.statuscodes=200,5xx'), ['accessLog.filters.statusCodes']);
});

test('a problem that shows late still has the line it was written on', (context) => {
  const cwd = folder(context, { 'traefik.yml': 'entryPoints:\n  a:\n    Address: ":80/udp"\n' });
  const loaded = loadStatic({ argv: [], env: {}, cwd });
  assert.ok(loaded.config);
  const [found] = placed(resolveStatic(loaded.config, '').diagnostics, loaded.tree);
  assert.equal(found?.where.line, 3);
});

test('every key of the schema has a summary, or stands for a map', () => {
  for (const { path: name, note } of staticKeys()) {
    const isTold = note.summary !== undefined || note.section === true || note.type === undefined;
    assert.ok(isTold || note.status === 'refused' || note.status === 'removed', name);
  }
  assert.ok(staticKeys().length > 200);
});

test('global.notAppendXForwardedFor holds on every entry point', (context) => {
  const resolved = resolvedFlags(context, '--global.notappendxforwardedfor', '--entrypoints.a.address=:1');
  assert.equal(resolved.entryPoints[0]?.forwardedHeaders.notAppendXForwardedFor, true);
});

test('auto takes the node engine for what uws cannot do, and says why', (context) => {
  const plain = resolvedFlags(context, '--entrypoints.web.address=:80');
  assert.equal(plain.entryPoints[0]?.engine, 'auto');
  assert.deepEqual(plain.diagnostics, []);
  const node = resolvedFlags(context, '--entrypoints.web.address=:80', '--entrypoints.web.engine=node');
  assert.equal(node.entryPoints[0]?.engine, 'node');
  assert.deepEqual(node.diagnostics, []);
  for (const flag of [
    'transport.keepalivemaxrequests=10',
    'transport.keepalivemaxtime=10s',
    'transport.respondingtimeouts.idletimeout=10s',
    'http2.maxconcurrentstreams=10',
  ]) {
    const auto = resolvedFlags(context, '--entrypoints.web.address=:80', `--entrypoints.web.${flag}`);
    assert.equal(auto.entryPoints[0]?.engine, 'node', flag);
    assert.deepEqual(
      auto.diagnostics.map(({ severity, code }) => [severity, code]),
      [['info', 'config.engine']],
      flag,
    );
  }
});

test('what a chosen uws engine cannot do is a warning, never silence', (context) => {
  const idle = resolvedFlags(
    context,
    '--entrypoints.web.address=:80',
    '--entrypoints.web.engine=uws',
    '--entrypoints.web.transport.keepalivemaxrequests=10',
    '--entrypoints.web.transport.respondingtimeouts.idletimeout=10s',
  );
  assert.equal(idle.entryPoints[0]?.engine, 'uws');
  assert.deepEqual(
    idle.diagnostics.map(({ severity, where }) => [severity, where.path]),
    [
      ['warning', 'entryPoints.web.transport.keepAliveMaxRequests'],
      ['warning', 'entryPoints.web.transport.respondingTimeouts.idleTimeout'],
    ],
  );
});

test('HOME is looked into even when XDG_CONFIG_HOME is set and holds nothing', (context) => {
  const cwd = folder(context, { 'home/.config/traefik.yml': 'ping: {}', 'here/none': '' });
  const env = { XDG_CONFIG_HOME: path.join(cwd, 'xdg'), HOME: path.join(cwd, 'home') };
  const loaded = loadStatic({ argv: [], env, cwd: path.join(cwd, 'here') });
  assert.deepEqual(loaded.files, [path.join(cwd, 'home/.config/traefik.yml')]);
});

test('a directory where the file should be is told as what it is', (context) => {
  const cwd = folder(context, { 'traefik.yml/inside': '' });
  const loaded = loadStatic({ argv: [], env: {}, cwd });
  assert.equal(loaded.config, null);
  assert.match(loaded.diagnostics[0]?.message ?? '', /it is a directory/);
});

test('a file provider without anything to read is refused, with two targets it warns', (context) => {
  const none = fromFlags(context, '--providers.file.watch=true');
  assert.ok(none.config);
  const [found] = resolveStatic(none.config, '').diagnostics;
  assert.match(found?.message ?? '', /neither a `directory` nor a `filename`/);
  assert.equal(found?.severity, 'error');
  const both = resolvedFlags(context, '--providers.file.directory=a', '--providers.file.filename=b');
  assert.deepEqual(
    both.diagnostics.map(({ severity, where }) => `${severity} ${where.path}`),
    ['warning providers.file.filename'],
  );
});

test('routers in the static file are fine where the file provider reads that file, too', (context) => {
  const cwd = folder(context);
  const file = path.join(cwd, 'traefik.yml');
  const codes = (target: string) => {
    writeFileSync(file, `providers: {file: {filename: ${JSON.stringify(target)}}}\nhttp: {}\ntls: {}\n`);
    return loadStatic({ argv: [], env: {}, cwd }).diagnostics.map(({ code }) => code);
  };
  assert.deepEqual(codes(file), []);
  assert.deepEqual(codes('other.yml'), ['config.unknown_key', 'config.unknown_key']);
});

test('a section with nothing after it is absent, with a warning', (context) => {
  const cwd = folder(context, { 'traefik.yml': 'api:\nping: {}\naccessLog:\nmetrics:\n' });
  const { config, diagnostics } = loadStatic({ argv: [], env: {}, cwd });
  assert.deepEqual([config?.api, config?.ping?.entryPoint], [undefined, 'traefik']);
  assert.deepEqual(
    diagnostics.map(({ code, where }) => `${code} ${where.line}`),
    ['config.empty_key 1', 'config.empty_key 3'],
  );
});

test('one variable in two cases is an error', (context) => {
  const env = { TRAEFIK_LOG_LEVEL: 'info', traefik_log_level: 'debug' };
  const { config, diagnostics } = loadStatic({ argv: [], env, cwd: folder(context) });
  assert.equal(config, null);
  assert.deepEqual(
    diagnostics.map(({ code, where }) => `${code} ${where.source}`),
    ['config.duplicate_key env traefik_log_level'],
  );
});

test('two flags in one argument are told apart from a value with blanks', (context) => {
  const codes = (argument: string) => fromFlags(context, argument).diagnostics.map(({ code }) => code);
  assert.deepEqual(codes('--providers.file.directory=/etc/d --log.level=INFO'), ['config.two_flags']);
  assert.ok(codes('--api --ping').includes('config.two_flags'));
  assert.deepEqual(codes('--providers.file.directory=/my -- files - here'), []);
});

test('what follows `--` is no flag and no silence either', (context) => {
  const { config, diagnostics } = fromFlags(context, '--ping', '--', '--api', 'x');
  assert.equal(config, null);
  assert.deepEqual(
    diagnostics.map(({ message }) => message),
    ['`--api` is no flag', '`x` is no flag'],
  );
});

test('an entry point of UDP is to be deleted, and not written otherwise', (context) => {
  const flags = ['--entryPoints.web.address=:80', '--entryPoints.dns.address=:53/udp'];
  assert.deepEqual(
    resolvedFlags(context, ...flags).diagnostics.map(({ hint }) => hint),
    ['delete the entry point dns'],
  );
});
