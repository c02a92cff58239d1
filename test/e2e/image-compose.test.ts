// The platforms of `ops/compose/` in real containers: reached through the gateway or not at all.

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { demoUser } from '../../ops/demo/services/auth.ts';
import { buildImages } from '../support/image-base.ts';
import { type Composed, composeUp, inspect } from '../support/image-compose.ts';
import { type ImageEngine, startImageEngine, withoutImages } from '../support/image-engine.ts';
import { eventually } from '../support/gateway.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: string;
}

const skip = withoutImages();

describe('omni2 in containers', { skip }, () => {
  let engine: ImageEngine;
  let platform: Composed;
  const gateway = 'http://127.0.0.1:8090';

  before(async () => {
    await buildImages();
    engine = await startImageEngine('run');
    platform = await composeUp(engine, { file: 'omni2.yml' });
    await eventually(
      'all routes',
      async () => {
        const [health, auth, admin] = await Promise.all(
          ['/health', '/auth/health', '/admin/api/'].map((path) => ask(engine, `${gateway}${path}`)),
        );
        return health?.status === 200 && auth?.status === 200 && admin?.status === 401;
      },
      40_000,
    ).catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await platform.logs('traefik-external')}`);
    });
  });
  after(() => engine?.stop());

  test('the gateway runs read-only and without rights, and becomes healthy', async (context) => {
    const took = await eventually(
      'healthy',
      async () => (await platform.inspect('traefik-external')).State.Health?.Status === 'healthy',
      30_000,
    );
    const { Config, HostConfig, State } = await platform.inspect('traefik-external');
    assert.equal(Config.User, '65532:65532');
    assert.equal(HostConfig.ReadonlyRootfs, true);
    context.diagnostic(`healthy ${Math.round(took)} ms after its routes; started ${State.StartedAt}`);
  });

  test('who has no token gets nothing that is protected, and who has one gets to both replicas', async () => {
    assert.equal((await ask(engine, `${gateway}/api/v1/chat`)).status, 401);
    assert.equal((await ask(engine, `${gateway}/admin`)).status, 401);
    const token = await login();
    const replicas = new Set<string>();
    await eventually('both replicas', async () => {
      const answer = await ask(engine, `${gateway}/api/v1/chat`, ['-H', `Authorization: Bearer ${token}`]);
      assert.equal(answer.status, 200);
      const { replica, user } = JSON.parse(answer.body) as { replica: string; user: object };
      assert.deepEqual(user, { id: '1', username: 'admin', role: 'admin' });
      return replicas.add(replica).size === 2;
    });
    const admin = await ask(engine, `${gateway}/admin`, ['-H', `Authorization: Bearer ${token}`]);
    assert.match(admin.body, /omni2 administration/);
    const forged = await ask(engine, `${gateway}/api/v1/chat`, ['-H', `Authorization: Bearer ${token}x`]);
    assert.equal(forged.status, 401);
  });

  test('the WebSocket of the platform opens, and the dashboard is on the port of this machine', async () => {
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const flags = [...upgrade, key].flatMap((header) => ['-H', header]);
    const { status } = await ask(engine, `${gateway}/ws/mcp-status`, [...flags, '--max-time', '2']);
    assert.equal(status, 101);
    const dashboard = await ask(engine, 'http://127.0.0.1:8091/dashboard/');
    assert.equal(dashboard.status, 200);
    assert.equal((await ask(engine, `${gateway}/dashboard/`)).status, 404);
  });

  test('no service has a port of its own, and from the gateway’s outer network none is reached', async () => {
    const targets: string[] = [];
    for (const [service, ids] of platform.ids)
      for (const id of ids) {
        if (service === 'traefik-external') continue;
        const { HostConfig, NetworkSettings } = await inspect(engine, id);
        assert.deepEqual(HostConfig.PortBindings ?? {}, {}, service);
        for (const { IPAddress } of Object.values(NetworkSettings.Networks))
          for (const port of [80, 2375, 3000, 8000, 8300, 8700, 9013])
            targets.push(`http://${IPAddress}:${port}/health`);
      }
    const reached = await askFrom(engine, 'omni2_edge', [...targets, 'http://omni2:8000/health']);
    assert.deepEqual(
      reached.filter(({ status }) => status !== 0),
      [],
    );
    const [through] = await askFrom(engine, 'omni2_edge', ['http://traefik-external/health']);
    assert.equal(through?.status, 200);
  });

  test('a replica that is killed loses no request, and the labels of one that comes are read', async () => {
    const [, second = ''] = platform.ids.get('omni2') ?? [];
    const before = await ask(engine, `${gateway}/health`);
    assert.equal(before.status, 200);
    await engine.ask('POST', `/containers/${second}/kill`);
    await eventually('one replica alone', async () => {
      const seen = new Set<string>();
      for (let asked = 0; asked < 6; asked += 1) {
        const { status, body } = await ask(engine, `${gateway}/health`);
        assert.equal(status, 200);
        seen.add((JSON.parse(body) as { replica: string }).replica);
      }
      return seen.size === 1;
    });
    await engine.ask('POST', `/containers/${second}/start`);
    const seen = new Set<string>();
    await eventually('both again', async () => {
      const { body } = await ask(engine, `${gateway}/health`);
      return seen.add((JSON.parse(body) as { replica: string }).replica).size === 2;
    });
  });

  test('it stops within its grace, with 0', async (context) => {
    const [id = ''] = platform.ids.get('traefik-external') ?? [];
    const started = performance.now();
    await engine.ask('POST', `/containers/${id}/stop?t=20`);
    context.diagnostic(`stopped in ${Math.round(performance.now() - started)} ms`);
    assert.equal((await inspect(engine, id)).State.ExitCode, 0);
    assert.equal((await ask(engine, `${gateway}/health`)).status, 0);
  });

  async function login(): Promise<string> {
    const answer = await ask(engine, `${gateway}/auth/login`, [
      '-H',
      'Content-Type: application/json',
      '-d',
      JSON.stringify(demoUser),
    ]);
    assert.equal(answer.status, 200, answer.body);
    return (JSON.parse(answer.body) as { access_token: string }).access_token;
  }
});

describe('the MCP gateway in containers, by the socket itself and files', { skip }, () => {
  let engine: ImageEngine;
  let platform: Composed;
  const name = 'mcp-fetch.example.com';

  before(async () => {
    engine = await startImageEngine('run');
    platform = await composeUp(engine, {
      file: 'mcp-gateway.yml',
      edit(file) {
        const gateway = file.services['traefik'];
        assert.ok(gateway !== undefined);
        // As it was written before there was a filter: the socket mounted, and the group that may open it.
        delete file.services['socket-proxy'];
        gateway.command = (gateway.command ?? []).filter(
          (flag) => !flag.startsWith('--providers.docker.endpoint'),
        );
        gateway.volumes = [...(gateway.volumes ?? []), '/var/run/docker.sock:/var/run/docker.sock:ro'];
        gateway.group_add = [String(statSync(engine.socket).gid)];
      },
    });
    await eventually(
      'the route',
      async () => (await ask(engine, `https://${name}/`, secure)).status === 401,
      40_000,
    ).catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await platform.logs('traefik')}`);
    });
  });
  after(() => engine?.stop());

  test('labels and files meet: the token is checked by the middleware of the file', async () => {
    const refused = await ask(engine, `https://${name}/mcp`, secure);
    assert.equal(refused.status, 401);
    const flags = [...secure, '-H', 'Authorization: Bearer good', '-H', 'X-User-Id: 1'];
    const passed = await ask(engine, `https://${name}/mcp`, flags);
    assert.equal(passed.status, 200);
    const seen = JSON.parse(passed.body) as Record<string, string>;
    assert.equal(seen['x-user-id'], '17');
    assert.equal(seen['x-auth-token'], 'checked');
    const open = await ask(engine, `https://${name}/.well-known/oauth-authorization-server`, secure);
    assert.equal(open.status, 200);
  });

  test('cleartext is sent to HTTPS, and the API asks for a token as well', async () => {
    const plain = await ask(engine, `http://${name}/mcp`, ['--resolve', `${name}:80:127.0.0.1`]);
    assert.match(plain.headers, new RegExp(`location: https://${name}/mcp`, 'i'));
    // Its own labels count from its start, healthy or not yet.
    const api = 'https://traefik.example.com/api/http/routers';
    await eventually('its own labels', async () => (await ask(engine, api, secure)).status === 401, 60_000);
    const told = await ask(engine, api, [...secure, '-H', 'Authorization: Bearer good']);
    const routers = JSON.parse(told.body) as { name: string }[];
    assert.ok(routers.some((router) => router.name === 'mcp-fetch@docker'));
  });

  test('it is healthy, writes its log and certificates to volumes, and stops with 0', async () => {
    await eventually(
      'healthy',
      async () => (await platform.inspect('traefik')).State.Health?.Status === 'healthy',
      60_000,
    );
    const { Id, Config } = await platform.inspect('traefik');
    assert.equal(Config.User, '65532:65532');
    const { output } = await engine.inside(
      'sh',
      '-c',
      `docker -H unix://${engine.socket} cp ${Id}:/logs/access.log - | tar -xOf -`,
    );
    assert.match(output, /GET \/mcp/);
    await engine.ask('POST', `/containers/${Id}/stop?t=20`);
    assert.equal((await inspect(engine, Id)).State.ExitCode, 0);
  });
});

const secure = [
  '-k',
  ...['mcp-fetch.example.com', 'traefik.example.com'].flatMap((host) => [
    '--resolve',
    `${host}:443:127.0.0.1`,
  ]),
];

/** From the machine that the ports are published on; status 0 where nobody answers. */
async function ask(engine: ImageEngine, url: string, flags: readonly string[] = []): Promise<Answer> {
  const { output } = await engine.inside('curl', '-s', '-i', '--http1.1', '--max-time', '5', ...flags, url);
  const end = output.indexOf('\r\n\r\n');
  const headers = end === -1 ? output : output.slice(0, end);
  const status = Number(/^HTTP\/\S+ (\d+)/.exec(headers)?.[1] ?? 0);
  return { status, headers, body: end === -1 ? '' : output.slice(end + 4) };
}

/** From a container on that network, all at once. */
async function askFrom(
  engine: ImageEngine,
  network: string,
  urls: readonly string[],
): Promise<readonly { url: string; status: number }[]> {
  const script = `Promise.all(${JSON.stringify(urls)}.map((url) => fetch(url, { signal: AbortSignal.timeout(3000) })
    .then(({ status }) => ({ url, status }), () => ({ url, status: 0 }))))
    .then((all) => console.log(JSON.stringify(all)))`;
  const { Id } = await engine.ask<{ Id: string }>('POST', '/containers/create', {
    Image: 'portcullis',
    Entrypoint: ['/usr/local/bin/node', '-e', script],
    Healthcheck: { Test: ['NONE'] },
    HostConfig: { NetworkMode: network },
  });
  await engine.ask('POST', `/containers/${Id}/start`);
  await engine.ask('POST', `/containers/${Id}/wait`);
  const printed = await engine.docker(['logs', Id]);
  await engine.ask('DELETE', `/containers/${Id}`);
  return JSON.parse(printed) as { url: string; status: number }[];
}
