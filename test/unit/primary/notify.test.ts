// What the service manager is told, and when it is not.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { Log } from '../../../src/observability/log.ts';
import { createNotifier, watchdogMillis } from '../../../src/primary/notify.ts';
import { eventually } from '../../support/gateway.ts';
import { startServiceManager } from '../../support/service-manager.ts';

const skip =
  spawnSync('sh', ['-c', 'command -v systemd-notify && command -v perl'], { stdio: 'ignore' }).status === 0
    ? false
    : 'NOT TESTED: systemd-notify or perl missing';
const quiet = { error() {}, warn() {} } as unknown as Log;

for (const abstract of [false, true]) {
  test(`a ${abstract ? 'name without a file' : 'socket'} is told in the order in which it happened`, {
    skip,
  }, async () => {
    const manager = await startServiceManager(abstract);
    try {
      const notifier = createNotifier({ NOTIFY_SOCKET: manager.socket }, quiet);
      void notifier.ready('serving\nwith 2 workers');
      void notifier.reloading();
      await notifier.tookOver('serving');
      notifier.stopping('the end');
      await eventually('all is told', () => manager.told.length === 4);
      assert.equal(manager.told[0], 'READY=1 STATUS=serving with 2 workers');
      assert.match(manager.told[1] ?? '', /^RELOADING=1 MONOTONIC_USEC=\d+$/);
      assert.equal(manager.told[2], `MAINPID=${process.pid} READY=1 STATUS=serving`);
      assert.equal(manager.told[3], 'STOPPING=1 STATUS=the end');
    } finally {
      await manager.close();
    }
  });
}

test('the watchdog is fed while a worker answers, and not after', { skip }, async () => {
  const manager = await startServiceManager();
  try {
    const env = { NOTIFY_SOCKET: manager.socket, WATCHDOG_USEC: '200000', WATCHDOG_PID: String(process.pid) };
    const notifier = createNotifier(env, quiet);
    let alive = true;
    let asked = 0;
    notifier.watch((ms) => {
      assert.equal(ms, 50);
      asked += 1;
      return Promise.resolve(alive);
    });
    await eventually('it is fed', () => manager.told.filter((line) => line === 'WATCHDOG=1').length >= 2);
    alive = false;
    const before = asked;
    await eventually('it asks on', () => asked >= before + 3);
    const fed = manager.told.length;
    const later = asked;
    await eventually('it asks on', () => asked >= later + 3);
    assert.equal(manager.told.length, fed);
    notifier.silence();
  } finally {
    await manager.close();
  }
});

test('its variables are taken out of what workers inherit', () => {
  const env = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '1', WATCHDOG_PID: '2', PATH: '/bin' };
  assert.equal(createNotifier(env, quiet).isOn, true);
  assert.deepEqual(env, { PATH: '/bin' });
});

test('without a socket nothing is told', async () => {
  const notifier = createNotifier({}, quiet);
  assert.equal(notifier.isOn, false);
  await notifier.ready('serving');
  notifier.watch(() => assert.fail('nobody watches'));
});

test('the watchdog is for the process it names, and its time is a number', () => {
  assert.equal(watchdogMillis({ WATCHDOG_USEC: '3000000' }), 3000);
  assert.equal(watchdogMillis({ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '1' }), 0);
  for (const usec of ['', '-1', '1e9', 'x', '9'.repeat(40)])
    assert.equal(watchdogMillis({ WATCHDOG_USEC: usec }), 0);
});
