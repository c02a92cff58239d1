// The platform the gateway was made for, end to end: its own nine checks, CORS, WebSocket, MCP, the auth cache.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { type Demo, startDemo } from '../../ops/demo/start.ts';
import { demoUser } from '../../ops/demo/services/auth.ts';
import { waitFor } from '../support/origin.ts';

const origin = 'http://localhost:3000';

describe('the seed platform behind the gateway', () => {
  let demo: Demo;
  let token: string;

  before(async () => {
    demo = await startDemo({ ports: 0 });
    token = (await login(demo)).access_token;
  });
  after(() => demo?.stop());

  test('public routes work without a token', async () => {
    assert.equal((await get(demo, '/health')).status, 200);
    assert.equal((await get(demo, '/auth/health')).status, 200);
  });

  test('protected routes answer 401 without a token', async () => {
    const answer = await get(demo, '/api/v1/health');
    assert.equal(answer.status, 401);
    assert.deepEqual(await answer.json(), { error: 'unauthorized' });
  });

  test('login returns a JWT, a wrong password does not', async () => {
    assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
    const refused = await post(demo, '/auth/login', { ...demoUser, password: 'wrong' });
    assert.equal(refused.status, 401);
  });

  test('the validate endpoint returns user headers and is not reachable from outside', async () => {
    const direct = await fetch(`${demo.authUrl}/api/v1/auth/validate`, { headers: bearer(token) });
    assert.equal(direct.status, 200);
    assert.equal(direct.headers.get('x-user-id'), '1');
    assert.equal(direct.headers.get('x-user-username'), 'admin');
    assert.equal(direct.headers.get('x-user-role'), 'admin');
    // The same path through the gateway is the API's.
    const through = await get(demo, '/api/v1/auth/validate', bearer(token));
    assert.match(((await through.json()) as { replica: string }).replica, /^omni2-/);
    assert.equal((await get(demo, '/auth/validate')).status, 404);
  });

  test('a valid token is accepted and its request forwarded, to both replicas', async () => {
    const replicas = new Set<string>();
    await waitFor('an answer of each replica', async () => {
      const answer = await get(demo, '/api/v1/chat?room=7', bearer(token));
      assert.equal(answer.status, 200);
      const seen = (await answer.json()) as { replica: string; path: string; query: Record<string, string> };
      assert.equal(seen.path, '/api/v1/chat');
      assert.deepEqual(seen.query, { room: '7' });
      return replicas.add(seen.replica).size === 2;
    });
  });

  test('an invalid token is rejected', async () => {
    const [head, payload] = token.split('.');
    const forged = `${head}.${payload}.${Buffer.alloc(32).toString('base64url')}`;
    assert.equal((await get(demo, '/api/v1/health', bearer(forged))).status, 401);
  });

  test('malformed tokens are rejected', async () => {
    for (const authorization of [
      'Bearer not-a-token',
      'Bearer ',
      token,
      `Basic ${token}`,
      `Bearer ${token}x`,
    ]) {
      const answer = await get(demo, '/api/v1/health', { Authorization: authorization });
      assert.equal(answer.status, 401, `${authorization.slice(0, 12)}…`);
    }
  });

  test('admin routes are protected', async () => {
    for (const path of ['/admin', '/admin/', '/admin/api/users']) {
      assert.equal((await get(demo, path)).status, 401, path);
      assert.equal((await get(demo, path, bearer(token))).status, 200, path);
    }
    const visitor = { email: 'visitor@company.com', password: 'long enough' };
    assert.equal((await post(demo, '/auth/register', visitor)).status, 201);
    const other = (await login(demo, visitor)).access_token;
    assert.equal((await get(demo, '/admin/api/users', bearer(other))).status, 403);
  });

  test('the user context reaches the server, and only the auth service can set it', async () => {
    const spoofed = { 'X-User-Id': '999', 'X-User-Role': 'root', X_User_Username: 'mallory' };
    const answer = await get(demo, '/api/v1/me', { ...bearer(token), ...spoofed });
    const { user } = (await answer.json()) as { user: unknown };
    assert.deepEqual(user, { id: '1', username: 'admin', role: 'admin' });
  });

  test('CORS works: preflight without a token, answers and refusals readable by the page', async () => {
    const preflight = await fetch(`${demo.gatewayUrl}/api/v1/chat`, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization',
      },
    });
    assert.equal(preflight.status, 200);
    assert.equal(preflight.headers.get('access-control-allow-origin'), origin);
    assert.equal(preflight.headers.get('access-control-allow-credentials'), 'true');
    assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /POST/);
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /Authorization/i);

    const answer = await get(demo, '/api/v1/chat', { ...bearer(token), Origin: origin });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('access-control-allow-origin'), origin);

    const refusal = await get(demo, '/api/v1/chat', { Origin: origin });
    assert.equal(refusal.status, 401);
    assert.equal(refusal.headers.get('access-control-allow-origin'), origin);

    const stranger = await get(demo, '/api/v1/chat', { ...bearer(token), Origin: 'http://evil.example' });
    assert.equal(stranger.headers.get('access-control-allow-origin'), null);
  });

  test('the status WebSocket is public, pushes, and answers messages', async () => {
    const socket = new WebSocket(`${demo.gatewayUrl.replace('http', 'ws')}/ws/mcp-status`);
    const messages: string[] = [];
    socket.on('message', (data) => messages.push(String(data)));
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('error', reject);
    });
    await waitFor('a pushed status', () => messages.some((text) => text.includes('mcp-status')));
    socket.send('hello');
    await waitFor('the echo', () => messages.includes('hello'));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close();
    await closed;
  });

  test('an MCP session runs over streamable HTTP', async () => {
    const call = async (message: object, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${demo.gatewayUrl}/mcp/database`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...bearer(token), ...headers },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      });
    assert.equal((await fetch(`${demo.gatewayUrl}/mcp/database`, { method: 'POST' })).status, 401);

    const started = await call({ id: 1, method: 'initialize', params: {} });
    const session = started.headers.get('mcp-session-id');
    assert.ok(session);
    assert.match(started.headers.get('set-cookie') ?? '', /mcp_session=/);

    const inSession = { 'Mcp-Session-Id': session };
    assert.equal((await call({ method: 'notifications/initialized' }, inSession)).status, 202);
    const listed = (await (await call({ id: 2, method: 'tools/list' }, inSession)).json()) as {
      result: { tools: { name: string }[] };
    };
    assert.deepEqual(
      listed.result.tools.map((tool) => tool.name),
      ['list_tables', 'count_rows'],
    );
    const streamed = await call(
      { id: 3, method: 'tools/call', params: { name: 'count_rows', arguments: { table: 'orders' } } },
      { ...inSession, Accept: 'application/json, text/event-stream' },
    );
    assert.equal(streamed.headers.get('content-type'), 'text/event-stream');
    assert.match(await streamed.text(), /"text":"1204"/);
  });

  test('an unhealthy replica is left out and comes back', async () => {
    const [first] = demo.omni2;
    const replicasSeen = async (): Promise<string> => {
      const seen = new Set<string>();
      for (let left = 8; left > 0; left -= 1) {
        const answer = await get(demo, '/api/v1/me', bearer(token));
        seen.add(((await answer.json()) as { replica: string }).replica);
      }
      return [...seen].sort().join();
    };
    first.setHealthy(false);
    await waitFor('the unhealthy replica to be left out', async () => (await replicasSeen()) === 'omni2-2');
    first.setHealthy(true);
    await waitFor('the replica to be back', async () => (await replicasSeen()) === 'omni2-1,omni2-2');
  });
});

describe('the auth cache, with one worker', () => {
  let demo: Demo;

  before(async () => {
    demo = await startDemo({ ports: 0, workers: 1 });
  });
  after(() => demo?.stop());

  test('1,000 requests with one token ask the auth service once, and once more after a purge', async () => {
    const token = (await login(demo)).access_token;
    const before = demo.counts.auth.validate;
    await many(demo, token, 1_000);
    assert.equal(demo.counts.auth.validate - before, 1);

    const purge = await fetch(`${demo.apiUrl}/api/portcullis/auth-cache/purge`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ by: 'header', name: 'X-User-Id', value: '1' }),
    });
    assert.equal(purge.status, 200);
    assert.deepEqual(await purge.json(), { purged: 1 });
    await many(demo, token, 100);
    assert.equal(demo.counts.auth.validate - before, 2);
  });

  test('a logout is effective with the next request', async () => {
    const token = (await login(demo)).access_token;
    assert.equal((await get(demo, '/api/v1/me', bearer(token))).status, 200);
    const out = await fetch(`${demo.gatewayUrl}/auth/logout`, { method: 'POST', headers: bearer(token) });
    assert.equal(out.status, 200);
    assert.equal((await get(demo, '/api/v1/me', bearer(token))).status, 401);
  });

  test('with the auth service gone, cached tokens live out their time and everything else is refused', async () => {
    const cached = (await login(demo)).access_token;
    const fresh = (await login(demo)).access_token;
    assert.equal((await get(demo, '/api/v1/me', bearer(cached))).status, 200);
    await demo.stopAuth();

    assert.equal((await get(demo, '/api/v1/me', bearer(cached))).status, 200);
    assert.equal((await get(demo, '/api/v1/me', bearer(fresh))).status, 500);
    assert.equal((await get(demo, '/api/v1/me')).status, 500);
    assert.equal((await get(demo, '/health')).status, 200);
  });
});

interface Login {
  readonly access_token: string;
}

async function login(demo: Demo, user: object = demoUser): Promise<Login> {
  const answer = await post(demo, '/auth/login', user);
  assert.equal(answer.status, 200);
  return (await answer.json()) as Login;
}

function get(demo: Demo, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${demo.gatewayUrl}${path}`, { headers });
}

function post(demo: Demo, path: string, body: object): Promise<Response> {
  return fetch(`${demo.gatewayUrl}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

/** `count` requests, ten at a time, each of which must succeed. */
async function many(demo: Demo, token: string, count: number): Promise<void> {
  let left = count;
  const runner = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const answer = await get(demo, '/api/v1/me', bearer(token));
      assert.equal(answer.status, 200);
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 10 }, runner));
}
