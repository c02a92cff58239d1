// Ports before there are workers: who is in the way, and which one stands for port 0.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { portInTheWay, withPorts } from '../../../src/primary/port-check.ts';
import { entryPoint } from '../../support/specs.ts';

function at(name: string, port: number) {
  return { ...entryPoint(name, { port }), host: '127.0.0.1' };
}

test('entry points on port 0 get ports of their own, the same for every worker, others keep theirs', async () => {
  const chosen = await withPorts([at('a', 0), at('b', 0), at('c', 81)]);
  const [a, b, c] = chosen.map(({ port }) => port);
  assert.ok(a !== undefined && a > 0 && b !== undefined && b > 0 && a !== b);
  assert.equal(c, 81);
  assert.equal(await portInTheWay(chosen.slice(0, 2)), null);
});

test('a port somebody listens on is named with its entry point and address', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const problem = `entry point web cannot listen on 127.0.0.1:${port}: the address is already in use`;
    assert.equal(await portInTheWay([at('web', port)]), problem);
  } finally {
    server.close();
  }
});
