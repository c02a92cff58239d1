// Which network and which port of a container are taken.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container } from '../../../../src/providers/docker/container.ts';
import type { DockerSettings } from '../../../../src/providers/docker/settings.ts';
import { build, codes, container, network, port, servers } from './containers.ts';
import type { Labels } from './containers.ts';

function served(more: Partial<Container>, settings: Partial<DockerSettings> = {}, labels: Labels = {}) {
  const built = build([container('app', labels, more)], settings);
  return { urls: servers(built, 'app@docker'), told: codes(built.found), found: built.found };
}

const portLabel = { 'traefik.http.services.app.loadbalancer.server.port': '9000' };
const networkLabel = (name: string) => ({ 'traefik.docker.network': name });

test('the lowest exposed TCP port is taken, by number', () => {
  const ports = [port(8080), port(443), port(1000), port(53, 'udp')];
  assert.deepEqual(served({ ports }).urls, ['http://10.0.0.1:443']);
});

test('the port label need not be an exposed port', () => {
  assert.deepEqual(served({ ports: [] }, {}, portLabel).urls, ['http://10.0.0.1:9000']);
});

test('without a port the container is left out, with the label to write', () => {
  const { urls, told, found } = served({ ports: [port(53, 'udp')] });
  assert.equal(urls, null);
  assert.deepEqual(told, ['error docker.port_missing app']);
  assert.match(found[0]?.hint ?? '', /loadbalancer\.server\.port/);
});

test('without an address the container is left out', () => {
  assert.deepEqual(served({ networks: [], networkMode: 'none' }).told, ['error docker.no_address app']);
  assert.equal(served({ networks: [network('a', '')] }).urls, null);
});

test('the network of the label goes before that of the provider', () => {
  const networks = [network('a', '10.1.0.1'), network('b', '10.2.0.1'), network('c', '10.3.0.1')];
  assert.deepEqual(served({ networks }, { network: 'b' }, networkLabel('c')).urls, ['http://10.3.0.1:80']);
  assert.deepEqual(served({ networks }, { network: 'b' }).urls, ['http://10.2.0.1:80']);
});

test('IPv4 goes before IPv6, and IPv6 stands in brackets', () => {
  assert.deepEqual(served({ networks: [network('a', '10.1.0.1', 'fd00::1')] }).urls, ['http://10.1.0.1:80']);
  assert.deepEqual(served({ networks: [network('a', '', 'fd00::1')] }).urls, ['http://[fd00::1]:80']);
});

test('a network it is not in: the one shared with the gateway, with a warning', () => {
  const networks = [network('a', '10.1.0.1'), network('shop_web', '10.2.0.1')];
  const { urls, found } = served({ networks }, { ownNetworks: ['shop_web'] }, networkLabel('web'));
  assert.deepEqual(urls, ['http://10.2.0.1:80']);
  assert.equal(found.length, 1);
  assert.match(found[0]?.message ?? '', /not in the network web: it is in a, shop_web/);
  assert.match(found[0]?.hint ?? '', /traefik\.docker\.network=shop_web/);
});

test('of several networks the one shared with the gateway is taken without a word', () => {
  const networks = [network('a', '10.1.0.1'), network('b', '10.2.0.1')];
  const { urls, told } = served({ networks }, { ownNetworks: ['b', 'x'] });
  assert.deepEqual([urls, told], [['http://10.2.0.1:80'], []]);
});

test('of several networks the first by name is taken with a warning, whatever their order', () => {
  const networks = [network('b', '10.2.0.1'), network('a', '10.1.0.1')];
  for (const order of [networks, networks.toReversed()]) {
    const { urls, found } = served({ networks: order });
    assert.deepEqual(urls, ['http://10.1.0.1:80']);
    assert.match(found[0]?.hint ?? '', /traefik\.docker\.network=a/);
  }
  const apart = served({ networks }, { ownNetworks: ['c'] });
  assert.deepEqual(apart.urls, ['http://10.1.0.1:80']);
  assert.match(apart.found[0]?.message ?? '', /the gateway is in none/);
});

test('host mode is reached at the address of the host', () => {
  const host = { networkMode: 'host', networks: [network('host', '')] };
  assert.deepEqual(served(host, { hostAddress: '172.17.0.1', network: 'web' }, portLabel).urls, [
    'http://172.17.0.1:9000',
  ]);
  assert.deepEqual(served(host, { hostAddress: 'host.docker.internal', network: 'web' }, portLabel).told, []);
});

test('a container in the network of another is reached at that one, published or not', () => {
  const vpn = container(
    'vpn',
    { 'traefik.enable': 'false' },
    { id: 'f'.repeat(64), networks: [network('v', '10.9.0.1')] },
  );
  for (const reference of ['f'.repeat(64), 'f'.repeat(12), 'vpn']) {
    const app = container('app', portLabel, { networkMode: `container:${reference}`, networks: [] });
    assert.deepEqual(servers(build([app, vpn]), 'app@docker'), ['http://10.9.0.1:9000'], reference);
  }
  const lost = build([container('app', portLabel, { networkMode: 'container:gone', networks: [] })]);
  assert.deepEqual(codes(lost.found), [
    'error docker.no_address app traefik.http.services.app.loadbalancer.server.port',
  ]);
});

test('the other container names its network itself', () => {
  const networks = [network('a', '10.1.0.1'), network('b', '10.2.0.1')];
  const vpn = container('vpn', { 'traefik.enable': 'false', ...networkLabel('b') }, { networks });
  const app = container(
    'app',
    { ...portLabel, ...networkLabel('a') },
    { networkMode: 'container:vpn', networks: [] },
  );
  assert.deepEqual(servers(build([app, vpn]), 'app@docker'), ['http://10.2.0.1:9000']);
});

test('containers that share each other’s network end', () => {
  const a = container('a', portLabel, { networkMode: 'container:b', networks: [] });
  const b = container('b', portLabel, { networkMode: 'container:a', networks: [] });
  assert.deepEqual(
    build([a, b]).found.map(({ code }) => code),
    ['docker.no_address', 'docker.no_address'],
  );
});

test('useBindPortIP takes what the host publishes on one address', () => {
  const ports = [
    port(80, 'tcp', [
      { ip: '0.0.0.0', port: 1 },
      { ip: '192.168.0.5', port: 8081 },
    ]),
    port(90),
  ];
  assert.deepEqual(served({ ports }, { useBindPortIP: true }).urls, ['http://192.168.0.5:8081']);
  const six = [port(80, 'tcp', [{ ip: 'fd00::5', port: 8081 }])];
  assert.deepEqual(served({ ports: six }, { useBindPortIP: true }).urls, ['http://[fd00::5]:8081']);
});

test('useBindPortIP falls back to the container’s own address', () => {
  for (const ip of ['', '0.0.0.0', '::']) {
    const { urls, told } = served(
      { ports: [port(80, 'tcp', [{ ip, port: 8081 }])] },
      { useBindPortIP: true },
    );
    assert.deepEqual([urls, told], [['http://10.0.0.1:80'], ['info docker.binding app']], ip);
  }
  assert.deepEqual(served({ ports: [port(80)] }, { useBindPortIP: true }).urls, ['http://10.0.0.1:80']);
});
