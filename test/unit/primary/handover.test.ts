// Who may be replaced, and by what it is recognised.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { EntryPointSpec } from '../../../src/model/entry-point.ts';
import { findPredecessor } from '../../../src/primary/handover.ts';

const skip = process.platform === 'linux' ? false : 'NOT TESTED: needs Linux';

test('a process that listens on an entry point is found, and nothing is in the way', { skip }, async () => {
  const other = await listeningProcess();
  try {
    const found = findPredecessor(other.pid, [point(other.port)]);
    assert.ok(found.ok);
    assert.equal(await found.predecessor.obstacle([point(other.port)]), null);
  } finally {
    other.kill();
  }
});

test('a process that serves something else is left alone', { skip }, async () => {
  const other = await listeningProcess();
  try {
    assert.deepEqual(findPredecessor(other.pid, [point(other.port === 1 ? 2 : 1)]), {
      ok: false,
      problem: `process ${other.pid} serves none of the entry points`,
    });
  } finally {
    other.kill();
  }
});

test('a third listener on the port is in the way', { skip }, async () => {
  const other = await listeningProcess();
  const third = await listeningProcess();
  try {
    const found = findPredecessor(other.pid, [point(other.port)]);
    assert.ok(found.ok);
    const text = await found.predecessor.obstacle([point(third.port)]);
    assert.match(
      text ?? '',
      /entry point web cannot listen on 127\.0\.0\.1:\d+: the address is already in use/,
    );
  } finally {
    other.kill();
    third.kill();
  }
});

test('a port nobody has yet is tried', { skip }, async () => {
  const other = await listeningProcess();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  try {
    const found = findPredecessor(other.pid, [point(other.port)]);
    assert.ok(found.ok);
    assert.equal(await found.predecessor.obstacle([point(other.port), point(port)]), null);
    assert.match(
      (await found.predecessor.obstacle([{ ...point(port), host: '203.0.113.9' }])) ?? '',
      /does not have/,
    );
  } finally {
    other.kill();
  }
});

test('one that has ended is not asked to leave, nor who got its number', { skip }, async () => {
  const other = await listeningProcess();
  const found = findPredecessor(other.pid, [point(other.port)]);
  assert.ok(found.ok);
  other.kill();
  await other.ended;
  assert.equal(found.predecessor.retire(), false);
});

test('a process of another user is refused', {
  skip: process.getuid?.() === 0 ? skip : 'NOT TESTED: needs root',
}, async () => {
  const child = spawn('setpriv', ['--reuid=65534', '--clear-groups', 'sleep', '30'], { stdio: 'ignore' });
  try {
    await new Promise((resolve) => setTimeout(resolve, 0));
    const pid = child.pid ?? 0;
    while (spawnSync('stat', ['-c', '%u', `/proc/${pid}`], { encoding: 'utf8' }).stdout.trim() !== '65534');
    assert.deepEqual(findPredecessor(pid, [point(1)]), {
      ok: false,
      problem: `process ${pid} belongs to another user`,
    });
  } finally {
    child.kill('SIGKILL');
  }
});

test('neither itself nor nobody can be replaced', { skip }, () => {
  assert.equal(findPredecessor(process.pid, [point(1)]).ok, false);
  assert.deepEqual(findPredecessor(4_194_305, [point(1)]), {
    ok: false,
    problem: 'there is no process 4194305',
  });
});

function point(port: number): EntryPointSpec {
  return { name: 'web', host: '127.0.0.1', port } as EntryPointSpec;
}

interface Other {
  readonly pid: number;
  readonly port: number;
  readonly ended: Promise<unknown>;
  kill(): void;
}

async function listeningProcess(): Promise<Other> {
  const listen = `const s = require('net').createServer();
    s.listen(0, '127.0.0.1', () => console.log(process.pid, s.address().port));`;
  // Not a child of this process: its own children are its workers.
  const child = spawn('sh', ['-c', '"$0" -e "$1"; true', process.execPath, listen], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const [pid = 0, port = 0] = line.toString().split(' ').map(Number);
  return { pid, port, ended: once(child, 'exit'), kill: () => void process.kill(pid, 'SIGKILL') };
}
