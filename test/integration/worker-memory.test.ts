// What a worker holds in memory: nothing of Node that it does not use, and no more under load than at rest.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startGateway } from '../support/gateway.ts';

test('a worker is told where compiled sources are and how large its young generation may be', async () => {
  const gateway = await startGateway();
  try {
    const [pid] = gateway.workerPids();
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    const compiled = environment.find((line) => line.startsWith('NODE_COMPILE_CACHE='));
    assert.match(compiled ?? '', /portcullis\/compiled$/);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    assert.ok(command.includes('--max-semi-space-size=8'));
    assert.ok(command.includes('--no-allocation-site-pretenuring'));
  } finally {
    await gateway.stop();
  }
});

test('a worker that starts on compiled sources is below 110 MB', async () => {
  // The first one compiles what has changed.
  await (await startGateway()).stop();
  const gateway = await startGateway();
  try {
    const resident = residentBytes(gateway.workerPids()[0] as number);
    assert.ok(resident < 110e6, `the worker has ${resident / 1e6} MB`);
  } finally {
    await gateway.stop();
  }
});

function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(match?.[1] ?? 0) * 1024;
}
