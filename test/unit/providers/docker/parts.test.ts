// The small parts of the docker provider: endpoints, events, what engines say, marks, back-off, itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Container } from '../../../../src/providers/docker/container.ts';
import { parseEndpoint } from '../../../../src/providers/docker/endpoint.ts';
import { createLineSplitter, maxEventLine, readEvent } from '../../../../src/providers/docker/events.ts';
import { containerFrom, listedFrom } from '../../../../src/providers/docker/inspect.ts';
import { createOverlay, leaveTime } from '../../../../src/providers/docker/overlay.ts';
import { explain } from '../../../../src/providers/docker/problems.ts';
import { idFromMounts, ownNetworks, withSoundSelf } from '../../../../src/providers/docker/self.ts';
import { negotiate } from '../../../../src/providers/docker/version.ts';
import { backoff } from '../../../../src/providers/docker/watch.ts';
import { idOf } from '../../../support/docker-engine.ts';

test('endpoints are unix sockets and TCP, with and without TLS, and anything else is refused', () => {
  const origin = (text: string, usesTls = false): string => {
    const parsed = parseEndpoint(text, usesTls);
    return parsed.ok ? (parsed.endpoint.socketPath ?? parsed.endpoint.origin) : parsed.problem;
  };
  assert.equal(origin('unix:///var/run/docker.sock'), '/var/run/docker.sock');
  assert.equal(origin('tcp://socket-proxy:2375'), 'http://socket-proxy:2375');
  assert.equal(origin('tcp://10.0.0.1:2376', true), 'https://10.0.0.1:2376');
  assert.equal(origin('tcp://[::1]:2375'), 'http://[::1]:2375');
  assert.equal(origin('http://proxy:80'), 'http://proxy:80');
  assert.equal(origin('tcp://proxy'), 'http://proxy:2375');
  assert.equal(origin('https://proxy'), 'https://proxy:2376');
  for (const text of ['', 'docker', 'npipe:////./pipe/docker_engine', 'ssh://host', 'unix://run/x', 'tcp://'])
    assert.match(origin(text), /expected `unix:\/\//, text);
  const secret = parseEndpoint('tcp://u:geheim@proxy:2375', false);
  assert.ok(secret.ok && secret.endpoint.password === 'geheim' && !secret.endpoint.shown.includes('geheim'));
});

test('events of both engines are told apart, and what no route depends on is nothing', () => {
  const kind = (Action: string, Attributes: object = {}): string | undefined =>
    readEvent(JSON.stringify({ Type: 'container', Action, Actor: { ID: 'a', Attributes } }))?.kind;
  for (const action of ['die', 'stop', 'destroy', 'remove', 'pause', 'died'])
    assert.equal(kind(action), 'gone');
  assert.equal(kind('kill', { signal: '15' }), 'leaving');
  // Podman does not say which signal.
  assert.equal(kind('kill'), 'leaving');
  assert.equal(kind('kill', { signal: '1' }), 'changed');
  assert.equal(kind('health_status: unhealthy'), 'sick');
  assert.equal(kind('health_status: healthy'), 'changed');
  assert.equal(kind('health_status'), 'changed');
  for (const action of ['start', 'restart', 'unpause']) assert.equal(kind(action), 'started');
  for (const action of ['rename', 'update']) assert.equal(kind(action), 'changed');
  for (const action of ['create', 'attach', 'init', 'exec_start: true', 'top'])
    assert.equal(kind(action), undefined);
  const network = { Type: 'network', Action: 'connect', Actor: { ID: 'n', Attributes: { container: 'c' } } };
  assert.deepEqual(readEvent(JSON.stringify(network)), { kind: 'changed', container: 'c' });
  assert.equal(readEvent('{"Type":"volume","Action":"mount"}'), null);
  assert.deepEqual(readEvent('{"status":"start","id":"old"}'), { kind: 'started', container: 'old' });
  for (const line of ['{', '1', 'null', '{"Type":"container","Action":"die"}'])
    assert.equal(readEvent(line)?.kind, 'garbage', line);
});

test('lines come out whole however the bytes were cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 9 }),
      (texts, size) => {
        const lines = texts.map((text) => text.replaceAll(/\s/g, '')).filter((text) => text !== '');
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const seen: string[] = [];
        const splitter = createLineSplitter((line) => void seen.push(line));
        for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
        assert.deepEqual(seen, lines);
      },
    ),
  );
  const splitter = createLineSplitter(() => {});
  splitter.push(Buffer.alloc(maxEventLine, 'x'));
  assert.throws(() => splitter.push(Buffer.from('x')), RangeError);
});

test('whatever an engine says about a container is read or refused, never believed blindly', () => {
  assert.deepEqual(
    containerFrom({
      Id: 'a1',
      Name: '/web',
      State: { Status: 'Running', Health: { Status: 'none' } },
      Config: { Labels: { a: 'b', n: 5 }, ExposedPorts: { '80/tcp': {}, '53/udp': {}, '9/sctp': {} } },
      HostConfig: { NetworkMode: 'public' },
      NetworkSettings: {
        Ports: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }], '70000/tcp': null },
        Networks: { public: { NetworkID: 'n', IPAddress: '10.0.0.2', GlobalIPv6Address: 'no address' } },
      },
    }),
    {
      id: 'a1',
      name: 'web',
      labels: { a: 'b' },
      state: 'running',
      health: '',
      networkMode: 'public',
      networks: [{ name: 'public', id: 'n', ipv4: '10.0.0.2', ipv6: '' }],
      ports: [
        { port: 80, protocol: 'tcp', bindings: [{ ip: '127.0.0.1', port: 8080 }] },
        { port: 53, protocol: 'udp', bindings: [] },
      ],
    },
  );
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      assert.equal(containerFrom({ ...(json as object), Id: 'x' }).id, 'x');
      if (Array.isArray(json)) listedFrom(json);
    }),
  );
  assert.throws(() => containerFrom([]), TypeError);
  assert.throws(() => listedFrom({}), TypeError);
});

test('two list entries differ when more than their clocks do', () => {
  const signature = (entry: object): string | undefined =>
    listedFrom([{ Id: 'a', State: 'running', ...entry }])[0]?.signature;
  assert.equal(
    signature({ Status: 'Up 3 minutes (healthy)' }),
    signature({ Status: 'Up 4 hours (healthy)' }),
  );
  assert.notEqual(signature({ Status: 'Up 3 minutes (healthy)' }), signature({ Status: 'Up 3 minutes' }));
  assert.notEqual(signature({ Labels: { a: '1' } }), signature({ Labels: { a: '2' } }));
});

test('marks hold until a look that began after them, and a container told to stop stays out while it drains', () => {
  let now = 0;
  const overlay = createOverlay(() => now);
  const web = containerNamed('web');
  const states = (): string[] => overlay.containers().map(({ state, health }) => `${state}/${health}`);
  const look = (): void => overlay.settle([web], overlay.begin());
  look();
  const begun = overlay.begin();
  assert.equal(overlay.mark({ kind: 'gone', container: web.id }), true);
  assert.equal(overlay.mark({ kind: 'gone', container: web.id }), false, 'it is out already');
  overlay.settle([web], begun);
  assert.deepEqual(states(), ['exited/'], 'the look began before the event');
  look();
  assert.deepEqual(states(), ['running/']);
  overlay.mark({ kind: 'sick', container: web.id });
  assert.deepEqual(states(), ['running/unhealthy']);
  look();
  overlay.mark({ kind: 'leaving', container: web.id });
  look();
  assert.deepEqual(states(), ['exited/']);
  overlay.mark({ kind: 'changed', container: web.id });
  look();
  assert.deepEqual(states(), ['exited/']);
  now += leaveTime;
  look();
  assert.deepEqual(states(), ['running/'], 'it did not stop');
  overlay.mark({ kind: 'leaving', container: web.id });
  overlay.mark({ kind: 'started', container: web.id });
  assert.deepEqual(states(), ['exited/'], 'its address is not known yet');
  look();
  assert.deepEqual(states(), ['running/']);
  assert.equal(overlay.mark({ kind: 'gone', container: 'nobody' }), false);
});

test('waits double up to 5 s and never fall together', () => {
  assert.deepEqual(
    [1, 2, 3, 6, 60].map((failures) => backoff(failures, 1)),
    [250, 500, 1000, 5000, 5000],
  );
  assert.equal(backoff(6, 0), 3750);
});

test('versions are negotiated from the header, then from /version', async () => {
  const asking =
    (ping: string, body = '', status = 200) =>
    (path: string) =>
      Promise.resolve({ status, version: path === '/_ping' ? ping : '', text: body });
  assert.equal(await negotiate(asking('1.41')), '/v1.41');
  assert.equal(await negotiate(asking('1.99')), '/v1.51');
  assert.equal(await negotiate(asking('', '{"ApiVersion":"1.40"}')), '/v1.40');
  assert.equal(await negotiate(asking('', 'no', 404)), '');
  await assert.rejects(negotiate(asking('1.12')), /older than 1\.24/);
});

test('the gateway knows its own networks from its mounts and the list of containers', () => {
  const id = 'c'.repeat(64);
  const line = `600 580 254:1 /var/lib/docker/containers/${id}/hostname /etc/hostname rw - ext4 /dev/vda rw`;
  assert.equal(idFromMounts(`1 2 3 / / rw\n${line}\n`), id);
  // A host that runs containers has their directories mounted, too.
  assert.equal(idFromMounts(`600 580 0:50 / /var/lib/docker/containers/${id}/mounts/shm rw - tmpfs`), null);
  const self: Container = {
    ...containerNamed('gateway'),
    networks: [
      { name: 'public', id: 'n', ipv4: '10.0.0.2', ipv6: '' },
      { name: 'dead', id: 'm', ipv4: '', ipv6: '' },
    ],
  };
  assert.deepEqual(ownNetworks([containerNamed('web'), self], self.id.slice(0, 12)), ['public']);
  assert.deepEqual(ownNetworks([self], null), []);
  assert.deepEqual(ownNetworks([{ ...self, networkMode: 'host' }], self.id), []);
});

test('only the one container that this process runs in counts as healthy before it is', () => {
  const web = { ...containerNamed('web'), health: 'starting' };
  for (const [state, health] of [
    ['running', 'starting'],
    ['running', 'unhealthy'],
    ['exited', 'healthy'],
  ] as const) {
    const self = { ...containerNamed('gateway'), state, health };
    for (const own of [self.id, self.id.slice(0, 12)])
      assert.deepEqual(withSoundSelf([web, self], own), [web, { ...self, state: 'running', health: '' }]);
    // Not among them, not in a container at all, or not to be told from another.
    for (const own of ['f'.repeat(64), null]) assert.deepEqual(withSoundSelf([web, self], own), [web, self]);
    const twin = { ...self, id: `${self.id.slice(0, 12)}${'f'.repeat(52)}` };
    assert.deepEqual(withSoundSelf([self, twin], self.id.slice(0, 12)), [self, twin]);
  }
});

test('what went wrong is said in words, with what to do where that is known', () => {
  const said = (code: string): string =>
    explain(Object.assign(new Error('x'), { code }), '/run/d.sock', 1000).message;
  assert.equal(said('ENOENT'), 'there is no socket: /run/d.sock');
  assert.equal(said('EACCES'), 'permission denied: /run/d.sock');
  assert.equal(said('ECONNREFUSED'), 'nobody listens: /run/d.sock');
  assert.equal(said('UND_ERR_HEADERS_TIMEOUT'), 'no answer within 1 s');
  assert.match(explain(Object.assign(new Error('x'), { code: 'EACCES' }), null, 1).hint ?? '', /group/);
});

function containerNamed(name: string): Container {
  return {
    id: idOf(name),
    name,
    labels: {},
    state: 'running',
    health: '',
    networkMode: 'public',
    networks: [],
    ports: [],
  };
}
