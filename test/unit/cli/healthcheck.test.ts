// `healthcheck --pid`: a gateway is asked by the flags it runs with.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { flagsIn } from '../../../src/cli/running.ts';
import { call, folder } from './support.ts';

test('the flags of a gateway are found behind Node, a name or an init, and those of other commands are not', () => {
  const flags = ['--ping=true', '--entryPoints.web.address=:80'];
  const node = '/usr/local/bin/node';
  for (const words of [
    ['portcullis'],
    [node, '/usr/local/bin/portcullis'],
    [node, '/opt/portcullis/dist/main.js'],
    [node, '--max-semi-space-size=8', '/src/main.ts', 'run'],
    ['/sbin/docker-init', '--', node, '/usr/local/bin/traefik', 'traefik'],
  ])
    assert.deepEqual(flagsIn([...words, ...flags]), flags, words.join(' '));
  assert.deepEqual(flagsIn([node, '/usr/local/bin/portcullis']), []);
  assert.equal(flagsIn([node, '/usr/local/bin/portcullis', 'check', 'traefik.yml']), null);
  assert.equal(flagsIn(['nginx', '-g', 'daemon off;']), null);
  assert.equal(flagsIn(['']), null);
});

test('the ping of the process named is asked, and without one a connection is enough', async (context) => {
  let status = 200;
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const address = `--entryPoints.traefik.address=127.0.0.1:${port}`;
  const check = (pid: string) => call(folder(context, {}), ['healthcheck', '--pid', pid]);

  const pinged = sleeper(context, { TRAEFIK_PING: 'true' }, [address, '--ping=true']);
  assert.deepEqual(await check(pinged), { code: 0, out: `OK: http://127.0.0.1:${port}/ping\n`, err: '' });
  assert.deepEqual(seen, ['HEAD /ping']);
  status = 503;
  assert.equal((await check(pinged)).code, 1);

  const silent = sleeper(context, {}, [address]);
  const connected = await check(silent);
  assert.equal(connected.code, 0, connected.err);
  assert.match(connected.out, /takes connections/);

  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  for (const pid of [pinged, silent]) {
    const refused = await check(pid);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /ECONNREFUSED/);
  }
});

test('what is no gateway is not taken for one', async (context) => {
  for (const pid of [String(process.pid), '4194305', '1/../self', '']) {
    const { code, err } = await call(folder(context, {}), ['healthcheck', '--pid', pid]);
    assert.deepEqual([code, err], [1, `Error calling healthcheck: no gateway is process "${pid}"\n`]);
  }
});

/** A process that looks like a gateway from outside. */
function sleeper(
  context: TestContext,
  env: Readonly<Record<string, string>>,
  flags: readonly string[],
): string {
  const script = 'setInterval(() => {}, 1000)';
  const child = spawn(process.execPath, ['-e', script, '--', 'portcullis', ...flags], {
    env,
    stdio: 'ignore',
  });
  context.after(() => child.kill('SIGKILL'));
  return String(child.pid);
}
