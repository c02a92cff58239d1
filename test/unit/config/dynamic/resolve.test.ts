// Resolving: references, entry points, priorities, chains, and that everything broken stays closed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxPriority, maxUserPriority } from '../../../../src/model/snapshot.ts';
import { entryPoint } from '../../../support/specs.ts';
import { lines, resolveFiles, router } from './support.ts';

const services = 'services: { app: { loadBalancer: { servers: [{ url: "http://127.0.0.1:1" }] } } }';

function http(text: string): string {
  return `http:\n  ${services}\n${text}`;
}

test('names are qualified by the provider of the object that refers', () => {
  const resolved = resolveFiles({
    'a.yml': http(
      '  routers: { r: { rule: "Path(`/`)", service: app, middlewares: [m, other@docker] } }\n  middlewares: { m: { addPrefix: { prefix: /x } } }',
    ),
  });
  const r = router(resolved, 'r@file');
  assert.equal(r.service, 'app@file');
  assert.deepEqual(r.middlewares, ['m@file', 'other@docker']);
  assert.deepEqual(r.errors, ["middleware other@docker doesn't exist"]);
});

test('a router that is not supported, or whose middleware is missing or broken, stays with its errors', () => {
  const resolved = resolveFiles({
    'a.yml': http(`
  routers:
    missing: { rule: "Path(\`/1\`)", service: app, middlewares: [nobody] }
    refused: { rule: "Path(\`/2\`)", service: app, parentRefs: [missing] }
    broken: { rule: "Path(\`/3\`)", service: app, middlewares: [typo] }
    nowhere: { rule: "Path(\`/4\`)", service: gone }
    none: { rule: "Path(\`/5\`)" }
  middlewares:
    typo: { addPrefix: { prefxi: /x } }`),
  });
  for (const name of ['missing', 'refused', 'broken', 'nowhere', 'none']) {
    const r = router(resolved, `${name}@file`);
    assert.equal(r.errors.length, 1, name);
    assert.notEqual(r.rule, '');
    assert.deepEqual(r.entryPoints, ['web']);
  }
  assert.match(lines(resolved.loaded).join('\n'), /config\.unsupported .*parentRefs/);
  assert.match(router(resolved, 'none@file').errors[0] ?? '', /router has no service/);
});

test('a router that cannot be decoded keeps its rule, so that its place answers 503', () => {
  const resolved = resolveFiles({
    'a.yml': http('  routers: { r: { rule: "Path(`/`)", priority: 7, service: app, middleware: [auth] } }'),
  });
  const r = router(resolved, 'r@file');
  assert.equal(r.rule, 'Path(`/`)');
  assert.equal(r.priority, 7n);
  assert.equal(r.errors.length, 1);
  assert.match(resolved.loaded[0]?.hint ?? '', /middlewares/);
});

test('a rule that does not parse is listed with its error and the line to write instead', () => {
  const resolved = resolveFiles({
    'a.yml': http('  routers: { r: { rule: "Host(`a`, `b`)", service: app } }'),
  });
  assert.match(router(resolved, 'r@file').errors[0] ?? '', /rule/);
  const found = resolved.diagnostics.find(({ code }) => code === 'config.rule');
  assert.match(found?.hint ?? '', /Host\(`a`\) \|\| Host\(`b`\)/);
  assert.equal(found?.where.line, 3);
});

test('a rule left over from v2 that never matches is a warning', () => {
  const resolved = resolveFiles({
    'a.yml': http('  routers: { r: { rule: "HostRegexp(`{host:.+}`)", service: app } }'),
  });
  assert.deepEqual(router(resolved, 'r@file').errors, []);
  assert.equal(router(resolved, 'r@file').warnings.length, 1);
});

test('the priority is the rule in bytes unless written, and never above the internal ones', () => {
  const resolved = resolveFiles({
    'a.yml': http(`
  routers:
    bytes: { rule: "Path(\`/ä\`)", service: app }
    most: { rule: "Path(\`/\`)", service: app, priority: ${maxUserPriority} }
    over: { rule: "Path(\`/x\`)", service: app, priority: ${maxPriority} }`),
  });
  assert.equal(router(resolved, 'bytes@file').priority, 11n);
  assert.equal(router(resolved, 'most@file').priority, maxUserPriority);
  assert.deepEqual(router(resolved, 'most@file').errors, []);
  assert.equal(router(resolved, 'over@file').priority, maxUserPriority);
  assert.equal(router(resolved, 'over@file').errors.length, 1);
});

test('routers without entry points go to all but traefik, or to those marked as default', () => {
  const text = { 'a.yml': http('  routers: { r: { rule: "Path(`/`)", service: app } }') };
  const plain = [entryPoint('a'), entryPoint('b', { port: 81 }), entryPoint('traefik')];
  assert.deepEqual(router(resolveFiles(text, { entryPoints: plain }), 'r@file').entryPoints, ['a', 'b']);
  const marked = [entryPoint('a'), entryPoint('b', { asDefault: true })];
  assert.deepEqual(router(resolveFiles(text, { entryPoints: marked }), 'r@file').entryPoints, ['b']);
});

test('an unknown entry point is a warning, none left is an error', () => {
  const resolved = resolveFiles({
    'a.yml': http(
      '  routers: { some: { rule: "Path(`/1`)", service: app, entryPoints: [web, wbe] }, none: { rule: "Path(`/2`)", service: app, entryPoints: [wbe] } }',
    ),
  });
  const some = router(resolved, 'some@file');
  assert.deepEqual([some.entryPoints, some.errors, some.warnings.length], [['web'], [], 1]);
  assert.deepEqual(router(resolved, 'none@file').errors, ['no valid entryPoint for this router']);
});

test('a router on several entry points is split for those with middlewares of their own', () => {
  const entryPoints = [
    entryPoint('web', { middlewares: ['m@file'] }),
    entryPoint('plain'),
    entryPoint('other'),
  ];
  const resolved = resolveFiles(
    {
      'a.yml': http(
        '  routers: { r: { rule: "Path(`/`)", service: app, middlewares: [n] }, one: { rule: "Path(`/1`)", service: app, entryPoints: [web] } }\n  middlewares: { m: { addPrefix: { prefix: /m } }, n: { addPrefix: { prefix: /n } } }',
      ),
    },
    { entryPoints },
  );
  const copy = router(resolved, 'web-r@file');
  assert.deepEqual([copy.entryPoints, copy.middlewares], [['web'], ['m@file', 'n@file']]);
  const rest = router(resolved, 'r@file');
  assert.deepEqual([rest.entryPoints, rest.middlewares], [['plain', 'other'], ['n@file']]);
  assert.deepEqual(router(resolved, 'one@file').middlewares, ['m@file']);
});

test('a missing middleware of an entry point closes every router on it, the internal ones too', () => {
  const resolved = resolveFiles(
    { 'a.yml': http('  routers: { r: { rule: "Path(`/`)", service: app } }') },
    { entryPoints: [entryPoint('web', { middlewares: ['auth@file'] })], ping: 'web' },
  );
  assert.deepEqual(router(resolved, 'r@file').errors, ["middleware auth@file doesn't exist"]);
  assert.deepEqual(router(resolved, 'ping@internal').errors, ["middleware auth@file doesn't exist"]);
});

test('chains are inlined, and a chain that comes back to itself is an error', () => {
  const resolved = resolveFiles({
    'a.yml': http(`
  routers:
    ok: { rule: "Path(\`/1\`)", service: app, middlewares: [outer, p] }
    loop: { rule: "Path(\`/2\`)", service: app, middlewares: [a] }
    many: { rule: "Path(\`/3\`)", service: app, middlewares: [c0] }
  middlewares:
    p: { addPrefix: { prefix: /p } }
    q: { addPrefix: { prefix: /q } }
    outer: { chain: { middlewares: [inner, q] } }
    inner: { chain: { middlewares: p } }
    a: { chain: { middlewares: [b] } }
    b: { chain: { middlewares: [a] } }
${Array.from({ length: 20 }, (_, index) => `    c${index}: { chain: { middlewares: [c${index + 1}, c${index + 1}] } }`).join('\n')}
    c20: { addPrefix: { prefix: /c } }`),
  });
  assert.deepEqual(router(resolved, 'ok@file').middlewares, ['p@file', 'q@file', 'p@file']);
  assert.deepEqual(router(resolved, 'loop@file').errors, [
    'middleware recursion detected in a@file->b@file->a@file',
  ]);
  assert.deepEqual(router(resolved, 'many@file').errors, ['more than 1000 middlewares']);
});

test('two types in one object and no type at all are errors', () => {
  const resolved = resolveFiles({
    'a.yml': `http:
  services: { two: { loadBalancer: { servers: [] }, failover: { service: a, fallback: b } }, none: { middlewares: [x] } }
  middlewares: { two: { addPrefix: { prefix: /x }, stripPrefix: { prefixes: [/x] } } }`,
  });
  const text = lines(resolved.loaded).join('\n');
  assert.match(text, /config\.multi_types cannot create service: multi-types service not supported/);
  assert.match(text, /config\.multi_types cannot create middleware: multi-types middleware not supported/);
  assert.match(text, /config\.no_type the service has no type/);
  for (const { name, errors } of [...resolved.snapshot.services, ...resolved.snapshot.middlewares]) {
    if (name.endsWith('@file')) assert.notEqual(errors.length, 0, name);
  }
});

test('a header may name sessions, if it is one that can', () => {
  const resolved = resolveFiles({
    'a.yml': `http:
  routers: { r: { rule: "Path(\`/\`)", service: header } }
  services:
    header: { loadBalancer: { sticky: { header: { name: Mcp-Session-Id } }, servers: [{ url: "http://a" }] } }
    shared: { loadBalancer: { sticky: { header: { name: Cookie } }, servers: [{ url: "http://a" }] } }
    brief: { loadBalancer: { sticky: { header: { name: X-Seat, ttl: 10ms } }, servers: [{ url: "http://a" }] } }
    hashed: { loadBalancer: { strategy: hrw, sticky: { header: { name: X-Seat } }, servers: [{ url: "http://a" }] } }
    plain: { loadBalancer: { servers: [{ url: "http://a" }] } }`,
  });
  const codes = resolved.loaded.map(({ code }) => code);
  assert.deepEqual(codes, ['config.invalid_value', 'config.invalid_value']);
  assert.deepEqual(router(resolved, 'r@file').errors, []);
  const headerOf = (name: string) => {
    const spec = resolved.snapshot.services.find((one) => one.name === name);
    return spec?.kind === 'loadBalancer' ? spec.stickyHeader : null;
  };
  assert.deepEqual(headerOf('header@file'), { name: 'mcp-session-id', ttl: 86_400_000, onLost: 'repick' });
  assert.equal(headerOf('hashed@file'), undefined);
});

test('a load balancer has the defaults and names a user expects', () => {
  const resolved = resolveFiles({
    'a.yml': `http:
  services:
    app:
      loadBalancer:
        servers: [{ url: "http://127.0.0.1:1/base" }, { url: "http://127.0.0.1:2/base/", preservePath: true, weight: 3 }, { url: "http://127.0.0.1:3", weight: 0 }]
        sticky: { cookie: { sameSite: Lax } }
        healthCheck: { path: health, interval: 0 }`,
  });
  const app = resolved.snapshot.services.find(({ name }) => name === 'app@file');
  assert.ok(app?.kind === 'loadBalancer');
  assert.deepEqual(app.servers, [
    { url: 'http://127.0.0.1:1', path: '', weight: 1 },
    { url: 'http://127.0.0.1:2', path: '/base/', weight: 3 },
  ]);
  // sha1("_TRAEFIK_BACKEND_app@file"): clients keep their cookies when they move.
  assert.deepEqual([app.sticky?.name, app.sticky?.sameSite, app.sticky?.path], ['_fb0b0', 'lax', '/']);
  assert.deepEqual(
    [app.healthCheck?.path, app.healthCheck?.interval, app.healthCheck?.unhealthyInterval],
    ['/health', 30_000, 30_000],
  );
  assert.deepEqual(
    [app.passHostHeader, app.flushInterval, app.serversTransport],
    [true, 100, 'default@internal'],
  );
  const codes = resolved.diagnostics.map(({ code }) => code);
  assert.deepEqual(codes, ['config.server_path', 'config.server_weight', 'config.health_check']);
});

for (const url of [
  '127.0.0.1:80',
  'ftp://a',
  'http://',
  'http://a:0',
  'http://a:70000',
  'http://u:p@a',
  'http://a/x?y',
  'http://a b',
]) {
  test(`the server URL ${url} is refused where it stands`, () => {
    const resolved = resolveFiles({
      'a.yml': `http:\n  services:\n    s:\n      loadBalancer:\n        servers:\n          - url: "${url}"`,
    });
    assert.equal(resolved.loaded.length, 1);
    assert.deepEqual(
      [resolved.loaded[0]?.where.line, resolved.loaded[0]?.where.path],
      [6, 'http.services.s.loadBalancer.servers[0].url'],
    );
  });
}

test('tcp and udp are refused by name, and the rest of the file works', () => {
  const resolved = resolveFiles({
    'a.yml': `${http('  routers: { r: { rule: "Path(`/`)", service: app } }')}
tcp: { routers: { t: {} } }
udp: { routers: { t: {} } }
tls: { options: { default: { minVersion: VersionTLS12 } } }
nonsense: 1`,
  });
  assert.deepEqual(
    resolved.loaded.map(({ severity, code }) => `${severity} ${code}`),
    ['error config.unsupported', 'error config.unsupported', 'warning config.unknown_key'],
  );
  assert.deepEqual(router(resolved, 'r@file').errors, []);
});

test('keys are read in any case, and the old name of a middleware with a warning', () => {
  const resolved = resolveFiles({
    'a.yml':
      'HTTP:\n  MiddleWares:\n    m:\n      IPWHITELIST:\n        SOURCERANGE: 10.0.0.0/8, 192.168.0.0/16',
  });
  const m = resolved.snapshot.middlewares[0];
  assert.deepEqual([m?.name, m?.kind, m?.errors], ['m@file', 'ipAllowList', []]);
  assert.deepEqual((m?.options as { sourceRange: string[] } | undefined)?.sourceRange, [
    '10.0.0.0/8',
    '192.168.0.0/16',
  ]);
  assert.deepEqual(
    resolved.loaded.map(({ code }) => code),
    ['config.deprecated'],
  );
});

test('two routers that nothing tells apart are a warning', () => {
  const resolved = resolveFiles({
    'a.yml': http(
      '  routers: { b: { rule: "Path(`/`)", service: app }, a: { rule: "Path(`/`)", service: app }, c: { rule: "Path(`/`)", service: app, priority: 3 } }',
    ),
  });
  const found = resolved.diagnostics.filter(({ code }) => code === 'config.duplicate_rule');
  assert.equal(found.length, 1);
  assert.match(found[0]?.message ?? '', /router b@file has the rule and priority of a@file/);
});

test('a name in two files belongs to the first file, and the second is told where', () => {
  const files = {
    'b.yml': 'http:\n  middlewares:\n    m: { addPrefix: { prefix: /b } }',
    'a.yml': 'http:\n  middlewares:\n    m: { addPrefix: { prefix: /a } }',
  };
  const resolved = resolveFiles(files);
  assert.deepEqual(
    resolved.snapshot.middlewares.map(({ options }) => options),
    [{ prefix: '/a' }],
  );
  const [found] = resolved.diagnostics;
  assert.deepEqual(
    [found?.code, found?.where.source, found?.related?.[0]?.source],
    ['config.duplicate', 'b.yml', 'a.yml'],
  );
});

test('an entry point with tls keeps its routers off the cleartext side, even those without a tls section', () => {
  const tls = { options: 'modern', certResolver: 'le' };
  const resolved = resolveFiles(
    {
      'a.yml': http(
        '  routers: { plain: { rule: "Path(`/1`)", service: app }, own: { rule: "Path(`/2`)", service: app, tls: {} } }',
      ),
    },
    { entryPoints: [entryPoint('websecure', { tls })] },
  );
  assert.deepEqual(router(resolved, 'plain@file').tls, { options: 'modern@file', certResolver: 'le' });
  assert.deepEqual(router(resolved, 'own@file').tls, { options: null, certResolver: null });
});

test('maxIdleConnsPerHost: 0 is the default, a negative number keeps none', () => {
  const { snapshot } = resolveFiles({
    'f.yml': 'http: {serversTransports: {a: {maxIdleConnsPerHost: -1}, b: {maxIdleConnsPerHost: 0}}}',
  });
  assert.deepEqual(
    snapshot.transports.map(({ name, maxIdleConnsPerHost }) => `${name} ${maxIdleConnsPerHost}`),
    ['a@file -1', 'b@file 200', 'default@internal 200'],
  );
});

test('what a sticky cookie cannot be is told', () => {
  const { diagnostics } = resolveFiles({
    'f.yml':
      'http: {services: {s: {loadBalancer: {servers: [], sticky: {cookie: {name: a b, sameSite: loose}}}}}}',
  });
  assert.deepEqual(
    diagnostics.map(({ severity, code }) => `${severity} ${code}`),
    ['warning config.sticky', 'warning config.sticky'],
  );
});

test('a router repeats only the first of many errors of what it needs', () => {
  const { diagnostics } = resolveFiles({
    'f.yml':
      'http: {routers: {r: {rule: "Host(`a`)", service: s}}, services: {s: {loadBalancer: {a: 1, b: 2, c: 3}}}}',
  });
  assert.match(
    diagnostics.at(-1)?.message ?? '',
    /service s@file is broken: unknown key `a` .*; and 2 more$/,
  );
});

test('a serversTransport that does not exist is told where it is named, with the one that was meant', () => {
  const text = [
    'http:',
    '  services:',
    '    s:',
    '      loadBalancer:',
    '        servers: [{url: "https://10.0.0.1"}]',
    '        serversTransport: inscure',
    '  serversTransports: {insecure: {insecureSkipVerify: true}}',
  ].join('\n');
  const [found] = resolveFiles({ 'a.yml': text }).diagnostics;
  assert.equal(found?.code, 'config.unknown_transport');
  assert.deepEqual([found.where.line, found.where.column], [6, 27]);
  assert.equal(found.hint, 'did you mean insecure@file?');
});
