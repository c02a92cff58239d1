// The docker provider against an engine that does what no real one can be made to do.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import type { ProviderConfig } from '../../../../src/config/dynamic/provider-config.ts';
import type { Diagnostic } from '../../../../src/model/diagnostic.ts';
import { createLog } from '../../../../src/observability/log.ts';
import type { DockerProviderOptions } from '../../../../src/providers/docker/docker.ts';
import { createDockerProvider, readDockerOnce } from '../../../../src/providers/docker/docker.ts';
import { parseEndpoint } from '../../../../src/providers/docker/endpoint.ts';
import type { Provider } from '../../../../src/providers/provider.ts';
import {
  type ScriptedEngine,
  type ScriptedOptions,
  startScriptedEngine,
} from '../../../support/docker-engine.ts';
import { eventually } from '../../../support/gateway.ts';

interface Seen {
  readonly provider: Provider;
  readonly updates: { readonly config: ProviderConfig; readonly isUrgent: boolean }[];
  readonly reports: (readonly Diagnostic[])[];
  /** Of the last update: server URLs by service. */
  servers(): Record<string, string[]>;
  diagnostics(): readonly Diagnostic[];
}

test('containers become servers, and every change follows its event', async (context) => {
  const { engine, seen } = await follow(context);
  await eventually('the first update', () => 'web' in seen.servers());
  assert.deepEqual(seen.servers(), { web: ['http://172.30.0.2:80'] });
  engine.put({ name: 'api', ip: '172.30.0.3', port: 8000, labels: { 'traefik.enable': 'true' } });
  engine.event('start', 'api');
  await eventually('the new container', () => 'api' in seen.servers());
  engine.put({ name: 'web', ip: '172.30.0.9' });
  engine.tell({ Type: 'network', Action: 'connect', Actor: { ID: 'n1', Attributes: { container: 'x' } } });
  await eventually('the new address', () => seen.servers()['web']?.[0] === 'http://172.30.0.9:80');
});

test('a container that was told to stop and runs on comes back without any other event', async (context) => {
  const { engine, seen } = await follow(context, undefined, {}, {}, { leaveTime: 600 });
  await eventually('the first update', () => 'web' in seen.servers());
  engine.event('kill', 'web', { signal: '15' });
  await eventually('it is out', () => !('web' in seen.servers()));
  await eventually('it is back', () => 'web' in seen.servers(), 3_000);
});

test('a server leaves with its event, before the engine has answered anything', async (context) => {
  const { engine, seen } = await follow(context);
  await eventually('the first update', () => 'web' in seen.servers());
  for (const [action, attributes] of [
    ['kill', { signal: '9' }],
    ['die', {}],
    ['stop', {}],
    ['health_status: unhealthy', {}],
  ] as const) {
    engine.intercept = (request, response) =>
      request.url?.includes('/containers/') === true && hang(response);
    engine.event(action, 'web', attributes);
    await eventually(`${action} takes it out`, () => !('web' in seen.servers()), 2000);
    assert.equal(seen.updates.at(-1)?.isUrgent, true);
    engine.intercept = null;
    engine.event('start', 'web');
    await eventually('it is back', () => 'web' in seen.servers());
  }
});

test('what the own container defines is there before it is healthy, and until it has drained', async (context) => {
  const engine = await startScriptedEngine();
  const own = engine.put({ name: 'gateway', health: 'starting', ip: '172.30.0.5' }).id;
  engine.put({ name: 'web', health: 'starting' });
  const options = optionsFor(engine);
  const once = await readDockerOnce(options, 5_000, own.slice(0, 12));
  assert.deepEqual(serversOf(once.config), { gateway: ['http://172.30.0.5:80'] });
  const log = createLog({ level: 'fatal', format: 'common', filePath: null, noColor: true });
  const provider = createDockerProvider(options, log, own);
  const updates: string[] = [];
  provider.start(
    (config) => void updates.push(Object.keys(serversOf(config)).join()),
    () => {},
  );
  context.after(async () => {
    provider.close();
    await engine.stop();
  });
  await eventually('the gateway alone', () => updates.join() === 'gateway');
  engine.event('health_status: unhealthy', 'gateway');
  engine.event('kill', 'gateway', { signal: '15' });
  engine.put({ name: 'web' });
  engine.event('start', 'web');
  await eventually('both', () => updates.at(-1) === 'gateway,web');
  assert.deepEqual(updates, ['gateway', 'gateway,web']);
});

test('a signal that only makes it read its configuration leaves a container in', async (context) => {
  const { engine, seen } = await follow(context);
  await eventually('the first update', () => 'web' in seen.servers());
  engine.event('kill', 'web', { signal: '1' });
  engine.put({ name: 'other' });
  engine.event('start', 'other');
  await eventually('the next look', () => 'other' in seen.servers());
  assert.ok(seen.updates.every(({ config }) => config.parts.length > 0));
});

test('events out of order, and of containers nobody knows, do no harm', async (context) => {
  const { engine, seen } = await follow(context);
  await eventually('the first update', () => 'web' in seen.servers());
  engine.put({ name: 'late', ip: '172.30.0.7' });
  engine.event('die', 'late');
  engine.event('die', 'nobody');
  engine.event('start', 'late');
  engine.event('destroy', 'web');
  engine.containers.delete(engine.put({ name: 'web' }).id);
  await eventually('late alone', () => Object.keys(seen.servers()).join() === 'late');
});

test('a container that vanishes between list and question is left out', async (context) => {
  const { engine, seen } = await follow(context, (scripted) => {
    const ghost = scripted.put({ name: 'ghost' });
    scripted.intercept = (request, response) => {
      if (request.url?.includes(ghost.id) !== true) return false;
      response.writeHead(404).end('{}');
      return true;
    };
  });
  await eventually('the first update', () => 'web' in seen.servers());
  assert.deepEqual(Object.keys(seen.servers()), ['web']);
  assert.equal(engine.asked.filter((path) => path.includes('/json?')).length >= 1, true);
});

test('a burst of events means few looks, and a change during a look exactly one more', async (context) => {
  const { engine, seen } = await follow(context);
  await eventually('the first update', () => 'web' in seen.servers());
  const looks = (): number => engine.asked.filter((path) => path.endsWith('/containers/json?all=1')).length;
  let release: (() => void) | null = null;
  engine.intercept = (request, response) => {
    if (request.url?.endsWith('/containers/json?all=1') !== true || release !== null) return false;
    const { intercept } = engine;
    release = () => {
      engine.intercept = null;
      response.end('[]');
    };
    return intercept !== null;
  };
  const before = looks();
  engine.event('start', 'web');
  await eventually('a look is under way', () => release !== null);
  for (let index = 0; index < 200; index += 1) engine.event('rename', `web${index}`);
  (release as unknown as () => void)();
  await eventually('the look after it', () => looks() === before + 2);
  await eventually('its result', () => 'web' in seen.servers());
  assert.equal(looks(), before + 2);
});

test('a dropped stream is taken up again, and what happened meanwhile is seen', async (context) => {
  const { engine, seen } = await follow(context);
  await eventually('the stream', () => engine.streams() === 1);
  for (const rudely of [false, true]) {
    engine.dropStreams(rudely);
    engine.put({ name: `while-${rudely}` });
    await eventually('it is seen', () => `while-${rudely}` in seen.servers());
    await eventually('a stream again', () => engine.streams() === 1);
  }
  await eventually('no trouble is left', () => seen.diagnostics().length === 0);
});

test('an engine that is away is told once, keeps its routes, and comes back by itself', async (context) => {
  const { engine, seen } = await follow(context);
  await eventually('the stream', () => engine.streams() === 1 && 'web' in seen.servers());
  const updates = seen.updates.length;
  await engine.pause();
  await eventually('it is reported', () =>
    seen.diagnostics().some(({ code }) => code === 'docker.unreachable'),
  );
  assert.match(
    seen.diagnostics()[0]?.message ?? '',
    /cannot be followed: .*; what it last said stays in force/,
  );
  const reports = seen.reports.length;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(seen.reports.length, reports, 'once');
  assert.equal(seen.updates.length, updates, 'nothing is taken away');
  engine.put({ name: 'fresh' });
  await engine.resume();
  await eventually('what came meanwhile', () => 'fresh' in seen.servers());
  await eventually('no trouble is left', () => seen.diagnostics().length === 0);
});

test('a socket that appears later is found without a restart', async (context) => {
  const { engine, seen } = await follow(context, () => {}, { isPaused: true });
  await seen.provider.ready?.();
  await eventually('it is reported', () => seen.diagnostics().length === 1);
  assert.match(seen.diagnostics()[0]?.message ?? '', /there is no socket: .*docker\.sock/);
  assert.match(seen.diagnostics()[0]?.hint ?? '', /start the engine/);
  await engine.resume();
  await eventually('its containers', () => 'web' in seen.servers());
});

test('half answers, garbage, server errors and refusals keep the last good', async (context) => {
  const { engine, seen } = await follow(context);
  await eventually('the first update', () => 'web' in seen.servers());
  const cases: readonly [string, (response: import('node:http').ServerResponse) => void, RegExp][] = [
    ['garbage', (response) => void response.end('<html>'), /its answer is no JSON/],
    ['no list', (response) => void response.end('{"a":1}'), /is not a list/],
    ['half', (response) => half(response), /the connection broke/],
    ['500', (response) => void response.writeHead(500).end('{"message":"secret"}'), /it answers 500/],
    ['403', (response) => void response.writeHead(403).end(), /it answers 403/],
  ];
  for (const [name, answer, expected] of cases) {
    engine.intercept = (request, response) => {
      if (request.url?.includes('/containers/json') !== true) return false;
      answer(response);
      return true;
    };
    engine.event('start', 'web');
    await eventually(`${name} is reported`, () => expected.test(seen.diagnostics()[0]?.message ?? ''));
    assert.deepEqual(Object.keys(seen.servers()), ['web'], name);
    engine.intercept = null;
    await eventually(`${name} is over`, () => seen.diagnostics().length === 0);
  }
});

test('a list that stalls has a deadline', async (context) => {
  const { engine, seen } = await follow(context, () => {}, {}, { timeout: 300 });
  await eventually('the first update', () => 'web' in seen.servers());
  engine.intercept = (request, response) =>
    request.url?.includes('/containers/json') === true && hang(response);
  engine.event('start', 'web');
  await eventually('it is reported', () =>
    /no answer within 0\.3 s/.test(seen.diagnostics()[0]?.message ?? ''),
  );
  engine.intercept = null;
  await eventually('it is over', () => seen.diagnostics().length === 0);
});

test('an endless event line and an endless answer are cut off', async (context) => {
  const { engine, seen } = await follow(context);
  await eventually('the stream', () => engine.streams() === 1 && 'web' in seen.servers());
  for (let index = 0; index < 12; index += 1) engine.tell('x'.repeat(100_000));
  await eventually('it is reported', () =>
    /an event is longer than/.test(seen.diagnostics()[0]?.message ?? ''),
  );
  await eventually('a stream again', () => engine.streams() === 1 && seen.diagnostics().length === 0);
  engine.intercept = (request, response) => {
    if (request.url?.includes('/containers/json') !== true) return false;
    response.end(`[${'{},'.repeat(6_000_000)}{}]`);
    return true;
  };
  engine.event('start', 'web');
  await eventually('it is reported', () => /larger than 16 MiB/.test(seen.diagnostics()[0]?.message ?? ''));
  engine.intercept = null;
  await eventually('it is over', () => seen.diagnostics().length === 0);
});

test('an event that makes no sense means: look', async (context) => {
  const { engine, seen } = await follow(context);
  await eventually('the stream', () => engine.streams() === 1 && 'web' in seen.servers());
  engine.put({ name: 'found' });
  engine.tell('{"Type":\n');
  await eventually('it has looked', () => 'found' in seen.servers());
});

test('the API version is the engine’s, at most the newest we know, and too old an engine is told', async (context) => {
  const { engine, seen } = await follow(context, (scripted) => (scripted.apiVersion = '1.99'));
  await eventually('the first update', () => 'web' in seen.servers());
  assert.ok(engine.asked.includes('/v1.51/containers/json?all=1'));
  const old = await follow(context, (scripted) => (scripted.apiVersion = '1.23'));
  await eventually('it is told', () =>
    /its API is 1\.23, older than 1\.24/.test(old.seen.diagnostics()[0]?.message ?? ''),
  );
  const silent = await follow(context, (scripted) => {
    scripted.intercept = (request, response) => {
      if (request.url !== '/_ping' && request.url !== '/version') return false;
      response.writeHead(403).end();
      return true;
    };
  });
  await eventually('without a version', () => 'web' in silent.seen.servers());
  assert.ok(silent.engine.asked.includes('/containers/json?all=1'));
});

test('user and password go with every question and into no message', async (context) => {
  const { engine, seen } = await follow(
    context,
    () => {},
    { isTcp: true },
    { username: 'u', password: 'geheim' },
  );
  await eventually('the first update', () => 'web' in seen.servers());
  const expected = `Basic ${Buffer.from('u:geheim').toString('base64')}`;
  assert.ok(engine.headers.every(({ authorization }) => authorization === expected));
  engine.intercept = (_request, response) => {
    response.writeHead(401).end();
    return true;
  };
  engine.event('start', 'web');
  await eventually('it is reported', () => seen.diagnostics().length > 0);
  assert.doesNotMatch(JSON.stringify(seen.reports), /geheim|Z2VoZWlt/);
});

test('over TLS only an engine whose certificate holds is asked, or any where that is wanted', async (context) => {
  const made = selfSigned();
  const tls = { ca: made.cert, cert: '', key: '', insecureSkipVerify: false };
  const scripted = { isTcp: true, tls: made };
  const good = await follow(context, () => {}, scripted, { tls });
  await eventually('the first update', () => 'web' in good.seen.servers());
  const bad = await follow(context, () => {}, scripted, { tls: { ...tls, ca: '' } });
  await eventually('it is refused', () => /self-signed/i.test(bad.seen.diagnostics()[0]?.message ?? ''));
  assert.deepEqual(bad.engine.headers, []);
  const any = await follow(context, () => {}, scripted, {
    tls: { ...tls, ca: '', insecureSkipVerify: true },
  });
  await eventually('the first update', () => 'web' in any.seen.servers());
});

test('asked once, many answers have one deadline together', async (context) => {
  const engine = await startScriptedEngine();
  context.after(() => engine.stop());
  for (let index = 0; index < 40; index += 1) engine.put({ name: `c${index}` });
  engine.intercept = (request, response) => {
    if (!/containers\/\w+\/json$/.test(request.url ?? '')) return false;
    setTimeout(() => response.end('{"Id":"x"}'), 200);
    return true;
  };
  const began = performance.now();
  const { diagnostics } = await readDockerOnce(optionsFor(engine), 400);
  assert.match(diagnostics[0]?.message ?? '', /not all was answered within 0\.4 s/);
  assert.ok(performance.now() - began < 2000);
});

test('asked once, an engine that is not there is a warning', async (context) => {
  const engine = await startScriptedEngine();
  context.after(() => engine.stop());
  engine.put({ name: 'web' });
  const good = await readDockerOnce(optionsFor(engine), 2000);
  assert.deepEqual(serversOf(good.config), { web: ['http://172.30.0.2:80'] });
  await engine.pause();
  const bad = await readDockerOnce(optionsFor(engine), 2000);
  assert.deepEqual(
    bad.diagnostics.map(({ severity, code }) => [severity, code]),
    [['warning', 'docker.unreachable']],
  );
});

test('without watch it looks once, and again when told to', async (context) => {
  const { engine, seen } = await follow(context, () => {}, {}, {}, { watch: false });
  await eventually('the first update', () => 'web' in seen.servers());
  assert.equal(engine.streams(), 0);
  engine.put({ name: 'more' });
  seen.provider.reload();
  await eventually('told to', () => 'more' in seen.servers());
});

async function follow(
  context: TestContext,
  prepare: (engine: ScriptedEngine) => void = () => {},
  scripted: ScriptedOptions = {},
  client: Partial<DockerProviderOptions['client']> = {},
  more: Partial<DockerProviderOptions> = {},
): Promise<{ engine: ScriptedEngine; seen: Seen }> {
  const engine = await startScriptedEngine(scripted);
  engine.put({ name: 'web' });
  prepare(engine);
  const options = optionsFor(engine);
  const log = createLog({ level: 'fatal', format: 'common', filePath: null, noColor: true });
  const provider = createDockerProvider(
    { ...options, ...more, client: { ...options.client, ...client } },
    log,
  );
  const updates: Seen['updates'] = [];
  const reports: Seen['reports'] = [];
  provider.start(
    (config, isUrgent = false) => void updates.push({ config, isUrgent }),
    (diagnostics) => void reports.push(diagnostics),
  );
  context.after(async () => {
    provider.close();
    await engine.stop();
  });
  const servers = (): Record<string, string[]> => {
    const last = updates.at(-1);
    return last === undefined ? {} : serversOf(last.config);
  };
  return { engine, seen: { provider, updates, reports, servers, diagnostics: () => reports.at(-1) ?? [] } };
}

function optionsFor(engine: ScriptedEngine): DockerProviderOptions {
  const parsed = parseEndpoint(engine.endpoint, engine.isSecure);
  assert.ok(parsed.ok);
  return {
    client: { endpoint: parsed.endpoint, tls: null, username: '', password: '', timeout: 5000 },
    settings: {
      exposedByDefault: true,
      constraints: '',
      allowEmptyServices: false,
      network: '',
      useBindPortIP: false,
      defaultRule: 'Host(`{{ normalize .Name }}`)',
      ruleSyntax: 'v3',
      env: {},
    },
    watch: true,
  };
}

function serversOf(config: ProviderConfig): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const part of config.parts)
    for (const [name, { value }] of part.services)
      if (value.kind === 'loadBalancer')
        found[name] = value.loadBalancer.servers.map(({ url }) => url.origin);
  return found;
}

/** For 127.0.0.1, for a day. */
function selfSigned(): { key: string; cert: string } {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const name = ['-subj', '/CN=engine', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = spawnSync('openssl', ['req', '-x509', ...curve, ...name, '-keyout', '-', '-out', '-']);
  const text = made.stdout.toString();
  const at = text.indexOf('-----BEGIN CERTIFICATE');
  return { key: text.slice(0, at), cert: text.slice(at) };
}

function hang(_response: unknown): true {
  return true;
}

function half(response: import('node:http').ServerResponse): void {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('[{"Id":');
  setImmediate(() => response.destroy());
}
