// Containers → configuration: which are published, what they are called, what is made for them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LastGood } from '../../../../src/providers/docker/settings.ts';
import { router } from '../../config/dynamic/support.ts';
import { build, codes, container, port, routerNames, servers } from './containers.ts';
import type { Labels } from './containers.ts';

const rule = (name: string, text = 'Path(`/`)'): Labels => ({ [`traefik.http.routers.${name}.rule`]: text });
const compose = (service: string, project: string): Labels => ({
  'com.docker.compose.service': service,
  'com.docker.compose.project': project,
});

test('a container without labels gets a service and a router with the default rule', () => {
  const built = build([container('my_app')]);
  assert.equal(router(built, 'my-app@docker').rule, 'Host(`my-app`)');
  assert.equal(router(built, 'my-app@docker').service, 'my-app@docker');
  assert.deepEqual(servers(built, 'my-app@docker'), ['http://10.0.0.1:80']);
  assert.deepEqual(built.found, []);
});

test('compose service and project make the name', () => {
  assert.deepEqual(routerNames(build([container('x-1', compose('app', 'my_shop'))])), ['app-my-shop@docker']);
});

test('the default rule sees name, container name and labels', () => {
  const defaultRule =
    'Host(`{{ .Name }}.{{ .ContainerName }}.{{ index .Labels "com.docker.compose.service" }}`)';
  const built = build([container('c', compose('a.b', 'p'))], { defaultRule });
  assert.equal(router(built, 'a-b-p@docker').rule, 'Host(`a-b-p.c.a.b`)');
});

test('an empty or broken default rule leaves the router out, and says so', () => {
  const empty = build([container('a')], { defaultRule: '{{ if index .Labels "x" }}Host(`a`){{ end }}' });
  assert.deepEqual([routerNames(empty), codes(empty.found)], [[], ['error docker.default_rule a']]);
  const failing = build([container('a')], { defaultRule: '{{ .Nope }}' });
  assert.match(failing.found[0]?.message ?? '', /there are Name, ContainerName, Labels/);
  const broken = build([container('a'), container('b', rule('b'))], { defaultRule: '{{ if }}' });
  assert.deepEqual(routerNames(broken), ['b@docker']);
  assert.equal(broken.found.filter(({ code }) => code === 'docker.default_rule').length, 1);
});

test('enable decides, else exposedByDefault', () => {
  const all = [
    container('on', { 'traefik.enable': 'true' }),
    container('off', { 'traefik.enable': 'false' }),
    container('none'),
  ];
  assert.deepEqual(routerNames(build(all)), ['none@docker', 'on@docker']);
  assert.deepEqual(routerNames(build(all, { exposedByDefault: false })), ['on@docker']);
});

test('labels without enable are told where exposedByDefault is false', () => {
  const built = build([container('a', rule('a')), container('b', { 'treafik.enable': 'true' })], {
    exposedByDefault: false,
  });
  assert.deepEqual(codes(built.found), [
    'warning docker.not_enabled a',
    'warning config.ignored_label b treafik.enable',
  ]);
});

test('constraints decide by all labels; broken ones exclude everybody, told once', () => {
  const all = [container('a', { tier: 'web' }), container('b', { tier: 'db' })];
  assert.deepEqual(routerNames(build(all, { constraints: 'Label(`tier`,`web`)' })), ['a@docker']);
  const broken = build(all, { constraints: 'Label(`tier`' });
  assert.deepEqual([routerNames(broken), broken.found.map(({ code }) => code)], [[], ['docker.constraints']]);
});

test('only running and healthy containers are published', () => {
  const states = ['created', 'restarting', 'paused', 'exited', 'dead'];
  assert.deepEqual(routerNames(build(states.map((state) => container(state, {}, { state })))), []);
  const health = ['starting', 'unhealthy', 'healthy', 'none'];
  const all = health.map((name) => container(name, {}, { health: name }));
  assert.deepEqual(routerNames(build(all)), ['healthy@docker', 'none@docker']);
});

test('allowEmptyServices keeps an unhealthy container’s definitions without its server', () => {
  const labels = { 'traefik.http.services.app.loadbalancer.server.port': '9000' };
  const built = build([container('app', labels, { health: 'unhealthy' })], { allowEmptyServices: true });
  assert.deepEqual(servers(built, 'app@docker'), []);
  assert.deepEqual(router(built, 'app@docker').errors, []);
});

test('one unhealthy replica of two takes only its own server out', () => {
  const replica = (n: number, health: string) =>
    container(`app-${n}`, compose('app', 'p'), {
      health,
      networks: [{ name: 'n', id: 'n', ipv4: `10.0.0.${n}`, ipv6: '' }],
    });
  const built = build([replica(1, 'healthy'), replica(2, 'unhealthy')]);
  assert.deepEqual(servers(built, 'app-p@docker'), ['http://10.0.0.1:80']);
});

test('allownonrunning keeps the definitions of a stopped container without a server', () => {
  const labels = { ...rule('app'), 'traefik.docker.allownonrunning': 'true' };
  const built = build([container('app', labels, { state: 'exited', networks: [], ports: [] })]);
  assert.deepEqual([routerNames(built), servers(built, 'app@docker'), built.found], [['app@docker'], [], []]);
});

test('every named service gets the server, and a router is linked to the only one', () => {
  const built = build([
    container('app', { ...rule('r'), 'traefik.http.services.s.loadbalancer.server.port': '1' }),
  ]);
  assert.equal(router(built, 'r@docker').service, 's@docker');
  assert.deepEqual(servers(built, 's@docker'), ['http://10.0.0.1:1']);
  assert.equal(servers(built, 'app@docker'), null);
});

const two = {
  'traefik.http.services.s.loadbalancer.server.port': '1',
  'traefik.http.services.t.loadbalancer.server.port': '2',
};

test('a router that could mean two services answers 503', () => {
  const built = build([container('app', { ...rule('r'), ...two })]);
  assert.match(
    router(built, 'r@docker').errors.join(),
    /cannot be linked automatically with several services: s, t/,
  );
});

test('two services and no router: none is made', () => {
  const built = build([container('app', two)]);
  assert.deepEqual([routerNames(built), codes(built.found)], [[], ['warning docker.no_router app']]);
});

test('a router with tls alone gets the default rule', () => {
  const built = build([
    container('app', { 'traefik.http.routers.r.tls': 'true', 'traefik.http.routers.q': 'true' }),
  ]);
  assert.equal(router(built, 'r@docker').rule, 'Host(`app`)');
  assert.notEqual(router(built, 'r@docker').tls, null);
  assert.equal(router(built, 'q@docker').rule, 'Host(`app`)');
});

test('an option on another router than the rule is told', () => {
  const built = build([
    container('app', { ...rule('shop'), 'traefik.http.routers.shpo.middlewares': 'auth@file' }),
  ]);
  const told = built.found.find(({ code }) => code === 'docker.default_rule');
  assert.equal(told?.severity, 'warning');
  assert.match(told?.hint ?? '', /did you mean the router shop/);
});

test('middlewares alone publish the default router, which is told', () => {
  const built = build([container('app', { 'traefik.http.middlewares.m.addprefix.prefix': '/x' })]);
  assert.deepEqual(
    [routerNames(built), codes(built.found)],
    [['app@docker'], ['info docker.default_router app']],
  );
});

test('scheme, weight, preservepath and url of the server', () => {
  const server = (options: Labels) => {
    const labels = Object.fromEntries(
      Object.entries(options).map(([key, text]) => [
        `traefik.http.services.s.loadbalancer.server.${key}`,
        text,
      ]),
    );
    const built = build([container('app', labels)]);
    const service = built.snapshot.services.find(({ name }) => name === 's@docker');
    return service?.kind === 'loadBalancer'
      ? { servers: service.servers, errors: service.errors }
      : built.found.map(({ code }) => code);
  };
  assert.deepEqual(server({ scheme: 'https', port: '8443', weight: '3' }), {
    servers: [{ url: 'https://10.0.0.1:8443', path: '', weight: 3 }],
    errors: [],
  });
  assert.deepEqual(server({ url: 'http://10.9.9.9:1/base', preservePath: 'true' }), {
    servers: [{ url: 'http://10.9.9.9:1', path: '/base', weight: 1 }],
    errors: [],
  });
  assert.deepEqual(server({ url: 'http://10.9.9.9', port: '80' }), ['docker.server_url']);
  assert.deepEqual(server({ port: '8080:80' }), {
    servers: [],
    errors: ['server.port is "8080:80", expected a number between 1 and 65535'],
  });
  assert.deepEqual((server({ prot: '80' }) as { errors: readonly string[] }).errors, [
    'unknown key `prot` in `http.services.s.loadBalancer.server`',
  ]);
});

test('what labels cannot say is refused by name, and its router answers 503', () => {
  const labels = {
    ...rule('r'),
    'traefik.http.services.s.weighted.services[0].name': 'a',
    'traefik.http.serversTransports.t.insecureskipverify': 'true',
    'traefik.tcp.routers.t.rule': 'HostSNI(`*`)',
    'traefik.udp.services.u.loadbalancer.server.port': '53',
  };
  const built = build([container('app', labels)]);
  assert.deepEqual(
    built.found.filter(({ code }) => code !== 'config.unsupported'),
    [],
  );
  assert.match(
    built.found.map(({ message }) => message).join('\n'),
    /TCP .*[^]*UDP .*[^]*serversTransports cannot[^]*`weighted`/,
  );
  assert.match(router(built, 'r@docker').errors.join(), /service s@docker is broken/);
});

test('a container with TCP or UDP objects alone gets no router', () => {
  const built = build([container('db', { 'traefik.tcp.routers.t.rule': 'HostSNI(`*`)' }, { ports: [] })]);
  assert.deepEqual(
    [routerNames(built), codes(built.found)],
    [[], ['error config.unsupported db traefik.tcp.routers.t.rule']],
  );
});

test('a servers list is refused with the label to write, and allocates nothing', () => {
  const built = build([
    container('app', { 'traefik.http.services.s.loadbalancer.servers[3].url': 'http://a' }),
  ]);
  assert.match(built.found[0]?.hint ?? '', /traefik\.http\.services\.s\.loadbalancer\.server\.port/);
  assert.match(router(built, 'app@docker').errors.join(), /service s@docker is broken/);
});

test('a broken object answers 503, the container’s other routers and all other containers work', () => {
  const labels = {
    ...rule('good', 'Path(`/g`)'),
    ...rule('bad', 'Path(`/b`)'),
    'traefik.http.routers.bad.stripprefix.prefixes': '/b',
  };
  const built = build([container('app', labels), container('other')]);
  assert.deepEqual(router(built, 'good@docker').errors, []);
  assert.match(router(built, 'bad@docker').errors.join(), /unknown key `stripprefix`/);
  assert.deepEqual(router(built, 'other@docker').errors, []);
  assert.match(built.found[0]?.hint ?? '', /a middleware: write traefik\.http\.middlewares/);
});

test('labels that cannot be read at all leave out that container alone', () => {
  const built = build([container('app', { ...rule('a'), 'traefik.http..x': 'y' }), container('other')]);
  assert.deepEqual(routerNames(built), ['other@docker']);
});

test('a section nobody knows leaves out the container: not even its default router is made', () => {
  for (const label of ['traefik.http.router.x.middlewares', 'traefik.http.routers']) {
    const built = build([container('app', { [label]: 'auth' }), container('other')]);
    assert.deepEqual(routerNames(built), ['other@docker'], label);
    assert.equal(built.found[0]?.severity, 'error');
  }
});

test('a container made anew with broken labels is served by those it had, at its new address', () => {
  const lastGood: LastGood = new Map();
  const first = container('app', {
    ...rule('a'),
    'traefik.http.services.s.loadbalancer.server.port': '9000',
  });
  build([first], {}, lastGood);
  for (const labels of [
    { ...rule('a'), 'traefik.http.routers.a.servce': 's' },
    rule('a', 'Path('),
    { 'traefik.http..x': 'y' },
  ]) {
    const again = container('app', labels, {
      id: 'new',
      networks: [{ name: 'n', id: 'n', ipv4: '10.0.0.7', ipv6: '' }],
    });
    const built = build([again], {}, lastGood);
    assert.deepEqual(router(built, 'a@docker').errors, []);
    assert.deepEqual(servers(built, 's@docker'), ['http://10.0.0.7:9000']);
    assert.ok(built.found.some(({ code }) => code === 'docker.last_good'));
    assert.ok(built.found.some(({ severity }) => severity === 'error'));
  }
  assert.deepEqual(routerNames(build([container('app', { 'traefik.enable': 'flase' })], {}, lastGood)), []);
});

test('the labels kept are bounded, the oldest leave first', () => {
  const lastGood: LastGood = new Map();
  build(
    Array.from({ length: 1100 }, (_, n) => container(`c${String(n).padStart(4, '0')}`)),
    {},
    lastGood,
  );
  assert.equal(lastGood.size, 1000);
  assert.equal(lastGood.has('c0000'), false);
  assert.equal(lastGood.has('c1099'), true);
});

test('every diagnostic names its container', () => {
  const labels = {
    'traefik.http.routers.r.rlue': 'x',
    'traefik.port': '1',
    'traefik.http.middlewares.m.nope.x': 'y',
  };
  for (const { where } of build([container('app', labels)]).found) assert.equal(where.source, 'app');
});

test('the order of containers and of their labels has no effect', () => {
  const labels = fc.subarray(
    Object.entries({
      ...rule('r'),
      ...rule('R', 'Path(`/b`)'),
      ...two,
      'traefik.http.routers.r.tls': 'true',
    }),
    { minLength: 0 },
  );
  const one = fc.record({ labels, id: fc.constantFrom('1', '2', '3') });
  fc.assert(
    fc.property(fc.uniqueArray(one, { selector: ({ id }) => id }), (all) => {
      const containers = all.map(({ labels: pairs, id }) =>
        container(`app-${id}`, Object.fromEntries(pairs), { id }),
      );
      const turned = all
        .toReversed()
        .map(({ labels: pairs, id }) =>
          container(`app-${id}`, Object.fromEntries(pairs.toReversed()), { id }),
        );
      assert.equal(build(containers).snapshot.hash, build(turned).snapshot.hash);
      assert.deepEqual(build(containers).found, build(turned).found);
    }),
    { numRuns: 60 },
  );
});

test('whatever the labels, it never throws and never makes a server without an address', () => {
  const part = fc.constantFrom(
    'http',
    'routers',
    'services',
    'middlewares',
    'x',
    'loadbalancer',
    'server',
    'port',
    'rule',
    'tls',
    'servers[0]',
    'url',
    'tcp',
    'enable',
  );
  const label = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => `traefik.${parts.join('.')}`);
  fc.assert(
    fc.property(
      fc.dictionary(label, fc.constantFrom('true', 'false', '', '80', 'http://a', 'Path(`/`)')),
      (labels) => {
        const built = build([container('app', labels, { ports: [port(80)] })]);
        for (const service of built.snapshot.services)
          if (service.kind === 'loadBalancer')
            for (const { url } of service.servers) assert.match(url, /^https?:\/\/[^/]+$/);
      },
    ),
    { numRuns: 300 },
  );
});

test('as many labels as are read cost little', () => {
  const labels = Object.fromEntries(
    Array.from({ length: 1990 }, (_, n) => [`traefik.http.services.s${n}.loadbalancer.server.port`, '80']),
  );
  const before = process.cpuUsage();
  const built = build([container('app', labels)]);
  const { user, system } = process.cpuUsage(before);
  assert.deepEqual(servers(built, 's7@docker'), ['http://10.0.0.1:80']);
  // Microseconds; it takes a tenth of that, and took 12 s when each service read all labels anew.
  assert.ok(user + system < 4_000_000, `${user + system} µs`);
});
