// What is copied onto a machine is right in the eyes of the programs that will read it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { cannotNetwork, createLan } from '../support/namespaces.ts';

const ops = fileURLToPath(new URL('../../ops/', import.meta.url));

test('keepalived has nothing to say against its file on either node', {
  skip: cannotNetwork('keepalived'),
}, async () => {
  const lan = createLan(['a']);
  // Only from where nobody but root may write does keepalived take scripts.
  const dir = mkdtempSync('/run/portcullis-lint-');
  try {
    for (const name of ['check-gateway.sh', 'notify.sh'])
      copyFileSync(join(ops, 'keepalived', name), join(dir, name));
    lan.run('a', 'chmod', '-R', '755', dir);
    const text = readFileSync(join(ops, 'keepalived/keepalived.conf'), 'utf8');
    const good = join(dir, 'good.conf');
    writeFileSync(good, text.replaceAll('/etc/keepalived', dir));
    const bad = join(dir, 'bad.conf');
    writeFileSync(bad, text.replaceAll('/etc/keepalived', dir).replace('unicast_peer', 'unicst_peer'));
    const lint = (file: string, node: string): string => {
      // It ends itself with SIGTERM, whatever it found; what it found is what it prints.
      const args = ['netns', 'exec', lan.of('a'), 'keepalived', '--vrrp', '-t', '-l', '-i', node, '-f', file];
      const { stdout, stderr } = spawnSync('ip', args, { encoding: 'utf8', timeout: 10_000 });
      return `${stdout}${stderr}`.trim();
    };
    for (const node of ['a', 'b']) assert.equal(lint(good, node), '');
    assert.match(lint(bad, 'a'), /Unknown keyword 'unicst_peer'/);
  } finally {
    await lan.close();
    rmSync(dir, { recursive: true, force: true });
  }
});

test('systemd has nothing to say against the unit, with and without the drop-in', {
  skip: missing('systemd-analyze'),
}, () => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-unit-'));
  try {
    const lint = (name: string, text: string): string => {
      const file = join(dir, name);
      // What is not installed here may not be named.
      writeFileSync(file, text.replaceAll('/usr/bin/portcullis', '/bin/true'));
      const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
        encoding: 'utf8',
        timeout: 30_000,
      });
      return `${stdout}${stderr}`
        .split('\n')
        .filter((line) => line.includes(name))
        .join('\n');
    };
    const unit = readFileSync(join(ops, 'systemd/portcullis.service'), 'utf8');
    const dropIn = readFileSync(join(ops, 'systemd/handover.conf'), 'utf8');
    assert.equal(lint('portcullis.service', unit), '');
    assert.equal(lint('portcullis.service', `${unit}\n${dropIn}`), '');
    assert.match(lint('broken.service', unit.replace('WatchdogSec=', 'WatchDogSec=')), /Unknown key/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('every kernel setting is one this kernel has', {
  skip: process.platform === 'linux' ? false : 'needs Linux',
}, () => {
  const lines = readFileSync(join(ops, 'sysctl.conf'), 'utf8').split('\n');
  const settings = lines.filter((line) => line !== '' && !line.startsWith('#'));
  assert.ok(settings.length >= 8);
  for (const line of settings) {
    const [name = '', value = ''] = line.split(' = ');
    assert.match(value, /^\d+( \d+)?$/, line);
    assert.ok(existsSync(`/proc/sys/${name.replaceAll('.', '/')}`), name);
  }
});

test('sysctl reads every line of it as it is meant', { skip: missing('sysctl') }, () => {
  const file = join(ops, 'sysctl.conf');
  const read = (path: string): { status: number | null; stdout: string; stderr: string } =>
    spawnSync('sysctl', ['--dry-run', '-p', path], { encoding: 'utf8', timeout: 10_000 });
  const { status, stdout, stderr } = read(file);
  const written = readFileSync(file, 'utf8').split('\n');
  assert.deepEqual([status, stderr], [0, '']);
  assert.deepEqual(
    stdout.trim().split('\n'),
    written.filter((line) => line !== '' && !line.startsWith('#')),
  );
});

test('the compose file of the pair is what it says', () => {
  const file = parse(readFileSync(join(ops, 'compose/ha.yml'), 'utf8')) as {
    services: Record<string, { network_mode?: string; cap_add?: string[] }>;
  };
  assert.deepEqual(Object.keys(file.services).sort(), ['gateway', 'keepalived']);
  assert.equal(file.services['keepalived']?.network_mode, 'host');
});

test('the check of keepalived tells a gateway that serves from one that leaves, hangs or is gone', {
  skip: missing('bash'),
}, async () => {
  let status = 200;
  const server = createServer((_request, response) => {
    if (status === 0) return;
    response.writeHead(status);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.equal((await check(port)).code, 0);
  status = 503;
  const leaving = await check(port);
  assert.deepEqual([leaving.code, leaving.took < 700], [1, true], `${leaving.took} ms`);
  status = 0;
  const hanging = await check(port);
  assert.deepEqual([hanging.code, hanging.took < 1_900], [1, true], `${hanging.took} ms`);
  server.closeAllConnections();
  server.close();
  const gone = await check(port);
  assert.deepEqual([gone.code, gone.took < 700], [1, true], `${gone.took} ms`);
});

async function check(port: number): Promise<{ code: number; took: number }> {
  const started = performance.now();
  const child = spawn('bash', [join(ops, 'keepalived/check-gateway.sh'), '127.0.0.1', String(port)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number];
  return { code, took: performance.now() - started };
}

function missing(tool: string): string | false {
  const named = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',').includes(tool);
  if (!named && spawnSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' }).status === 0) return false;
  process.stderr.write(`!! NOT TESTED: ${tool} missing\n`);
  return `NOT TESTED: ${tool} missing`;
}
