// Two gateways with one Redis between them, two workers each.

import type { TestContext } from 'node:test';
import { type GatewayOptions, startGateway, type TestGateway } from './gateway.ts';
import { type CutWire, startWire } from './cut-wire.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

export const nodeSecret = 'a secret of two nodes that no reader of Redis has: 0123456789';

export interface TwoNodes {
  readonly redis: RedisServer;
  readonly a: TestGateway;
  readonly b: TestGateway;
  /** Of the second node; null unless `wired`. */
  readonly wire: CutWire | null;
}

export interface TwoNodesOptions extends GatewayOptions {
  /** Of `state`, beside the endpoint and the secret; `secret: undefined` leaves that out. */
  readonly state?: object;
  /** The second node reaches Redis over a wire that can be cut. */
  readonly wired?: boolean;
}

/** Gone at the end of the test. */
export async function startTwoNodes(context: TestContext, options: TwoNodesOptions): Promise<TwoNodes> {
  const redis = await startRedis(context);
  const start = (endpoint: string): Promise<TestGateway> =>
    startGateway({
      workers: 2,
      ...options,
      static: { state: { redis: { endpoints: [endpoint] }, secret: nodeSecret, ...options.state } },
    });
  const own = `127.0.0.1:${redis.port}`;
  const wire = options.wired === true ? await startWire(context, redis.port) : null;
  const nodes = await Promise.allSettled([start(own), start(wire?.address ?? own)]);
  context.after(async () => {
    for (const node of nodes) if (node.status === 'fulfilled') await node.value.stop();
  });
  const [a, b] = nodes.map((node) => {
    if (node.status === 'rejected') throw node.reason;
    return node.value;
  }) as [TestGateway, TestGateway];
  return { redis, a, b, wire };
}
