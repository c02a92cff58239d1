// Secrets: every option that a schema marks is hidden at every address, and no option with the name of a secret goes
// without a mark.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Marks, middlewareMarks, staticMarks } from '../../../../src/config/secrets.ts';
import type { MiddlewareSpec } from '../../../../src/model/snapshot.ts';
import { redact, redactHeaders, soundsSecret } from '../../../../src/primary/api/redact.ts';
import { catalogue } from '../../../../src/proxy/middlewares/catalogue.ts';
import { ask, snapshot } from './support.ts';

const canary = 'cAnArY';

test('no address shows a secret of any middleware of the catalogue', async () => {
  const middlewares: MiddlewareSpec[] = catalogue.map(({ kind }) => ({
    name: `${kind}@file`,
    provider: 'file',
    kind,
    options: filled(middlewareMarks(kind) as Marks),
    errors: [],
  }));
  assert.ok(JSON.stringify(middlewares).split(canary).length > 10, 'there is something to hide');
  const full = { ...snapshot, middlewares };
  for (const path of [
    '/api/http/middlewares?per_page=1000',
    ...middlewares.map(({ name }) => `/api/http/middlewares/${name}`),
    '/api/http/routers',
    '/api/http/services',
    '/api/overview',
    '/api/rawdata',
    '/api/diagnostics',
    '/api/portcullis/status',
    '/dashboard/',
  ]) {
    const { status, body } = await ask(path, { snapshot: full });
    assert.equal(status, 200, path);
    assert.ok(!body.includes(canary), `${path}: ${around(body)}`);
  }
});

/** Sound like secrets and are none: switches, names of places, public keys. */
const harmless = [
  'forwardAuth.cache.key',
  'headers.accessControlAllowCredentials',
  'headers.publicKey',
  'jwt.cookie',
  'jwt.publicKey',
  'jwt.publicKeyFile',
  'jwt.secretFile',
];

test('every option that sounds like a secret is marked as one, or known to be none', () => {
  const silent = catalogue.flatMap(({ kind }) => unmarked(middlewareMarks(kind) as Marks, kind));
  const inStatic = unmarked(staticMarks(), 'static');
  assert.deepEqual(
    [...silent, ...inStatic].filter((path) => !harmless.includes(path)),
    [],
  );
});

test('the known secrets are among the marked ones', () => {
  const marks = (kind: string): readonly string[] => marked(middlewareMarks(kind) as Marks, '');
  assert.deepEqual(marks('basicAuth'), ['users']);
  assert.deepEqual(marks('digestAuth'), ['users']);
  assert.deepEqual(marks('headers'), ['customRequestHeaders', 'customResponseHeaders', 'sslProxyHeaders']);
  assert.deepEqual(marks('forwardAuth'), ['address', 'tls.ca', 'tls.cert', 'tls.key']);
  assert.deepEqual(marks('jwt'), ['jwksUrl', 'secret']);
  assert.deepEqual(marks('rateLimit'), ['redis.password', 'redis.tls.ca', 'redis.tls.cert', 'redis.tls.key']);
  const ofStatic = marked(staticMarks(), '');
  for (const path of ['providers.docker.password', 'metrics.influxDB2.token', 'tracing.otlp.http.headers'])
    assert.ok(ofStatic.includes(path), path);
});

test('the shape stays: lists, maps, switches and what is empty', () => {
  const marks = middlewareMarks('basicAuth');
  const shown = redact({ users: ['a:b', 'c:d'], usersFile: '', realm: 'r', removeHeader: true }, marks);
  assert.deepEqual(shown, { users: ['xxxx', 'xxxx'], realm: 'r', removeHeader: true });
});

test('durations are shown as Go prints them', () => {
  const options = { address: 'http://a', timeout: 90_000 };
  assert.deepEqual(redact(options, middlewareMarks('forwardAuth')), {
    address: 'http://a',
    timeout: '1m30s',
  });
});

test('an auth server may take its key in the address: userinfo and query are hidden', () => {
  const options = { address: 'https://u:p@auth.test:8443/check?key=1' };
  assert.deepEqual(redact(options, middlewareMarks('forwardAuth')), {
    address: 'https://xxxx@auth.test:8443/check?xxxx',
  });
});

test('headers for servers are shown where they can hold no secret', () => {
  assert.deepEqual(
    redactHeaders({
      'X-Forwarded-Proto': 'https',
      'X-Debug': 'true',
      'X-Team': 'abc',
      Authorization: 'Basic x',
    }),
    { 'X-Forwarded-Proto': 'https', 'X-Debug': 'true', 'X-Team': 'xxxx', Authorization: 'xxxx' },
  );
});

test('headers for clients are shown, but for cookies and credentials', () => {
  const options = {
    customResponseHeaders: { 'X-Team': 'abc', 'Set-Cookie': 'a=b', 'X-Api-Key': 'k', Server: '' },
  };
  assert.deepEqual(redact(options, middlewareMarks('headers')), {
    customResponseHeaders: { 'X-Team': 'abc', 'Set-Cookie': 'xxxx', 'X-Api-Key': 'xxxx', Server: '' },
  });
});

test('options of a plugin, whose schema is not ours, keep their names only', () => {
  assert.deepEqual(redact({ geo: { db: '/x', on: true, list: [1, 'a'] } }, middlewareMarks('plugin')), {
    geo: { db: 'xxxx', on: true, list: ['xxxx', 'xxxx'] },
  });
});

test('where no schema speaks, names that sound like secrets are hidden, at any depth', () => {
  const deep = { a: [{ password: 'p', port: 1 }], apiKey: { x: 'y' }, url: 'http://u:p@h/' };
  assert.deepEqual(redact(deep, null), {
    a: [{ password: 'xxxx', port: 1 }],
    apiKey: { x: 'xxxx' },
    url: 'http://xxxx@h/',
  });
});

/** Options with a canary in every marked place. */
function filled(marks: Marks): unknown {
  if (marks.kind === 'object') {
    return Object.fromEntries([...marks.fields].map(([key, below]) => [key, filled(below)]));
  }
  if (marks.kind === 'each') return { name: filled(marks.of) };
  if (marks.kind !== 'marked') return 'open';
  if (marks.mark === 'url') return `https://${canary}:${canary}@auth.test/x?key=${canary}`;
  if (marks.mark === 'value') return { list: [canary, `bob:${canary}`], map: { a: canary } };
  return {
    Authorization: canary,
    Cookie: canary,
    'Set-Cookie': canary,
    'X-Api-Key': canary,
    'X-Auth-Token': canary,
  };
}

function marked(marks: Marks, path: string): readonly string[] {
  if (marks.kind === 'marked') return [path];
  if (marks.kind === 'each') return marked(marks.of, `${path}.*`);
  if (marks.kind !== 'object') return [];
  return [...marks.fields].flatMap(([key, below]) => marked(below, path === '' ? key : `${path}.${key}`));
}

function unmarked(marks: Marks, path: string): readonly string[] {
  if (marks.kind === 'each') return unmarked(marks.of, `${path}.*`);
  if (marks.kind !== 'object') return [];
  return [...marks.fields].flatMap(([key, below]) => {
    const own = below.kind === 'leaf' && soundsSecret(key) ? [`${path}.${key}`] : [];
    return [...own, ...unmarked(below, `${path}.${key}`)];
  });
}

function around(text: string): string {
  const at = text.indexOf(canary);
  return text.slice(Math.max(0, at - 60), at + 20);
}
