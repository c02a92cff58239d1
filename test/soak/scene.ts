// The stage of a soak: Redis, the servers, and two gateways with two workers each that share what Redis holds.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { makeAuthority } from '../support/pki.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { type Backends, startBackends } from './backends.ts';
import { dynamicPart, staticPart } from './configuration.ts';
import type { NodeName } from './plan.ts';

export interface SoakNode {
  readonly name: NodeName;
  readonly gateway: TestGateway;
}

export interface Scene {
  readonly redis: RedisServer;
  readonly backends: Backends;
  readonly nodes: readonly [SoakNode, SoakNode];
  /** PEM, of the authority behind the certificates. */
  readonly root: string;
  /** Where the probes write: `<pid>.json`. */
  readonly probes: string;
  /** The routing with `extra` routers beside those that are used. */
  dynamic(extra: number): object;
  /** Exit codes of the gateways. */
  stop(): Promise<readonly (number | null)[]>;
}

/** `probeMs`: milliseconds between two files of a probe. */
export async function setScene(probeMs: number): Promise<Scene> {
  const cleanups: (() => unknown)[] = [];
  const clean = async (): Promise<void> => {
    for (const one of cleanups.splice(0).reverse()) await one();
  };
  try {
    const scope = { after: (act: () => unknown) => void cleanups.push(act) } as unknown as TestContext;
    const probes = mkdtempSync(join(tmpdir(), 'portcullis-soak-'));
    cleanups.push(() => rmSync(probes, { recursive: true, force: true }));
    const authority = makeAuthority('Soak Root');
    const issued = authority.issue(['soak.test']);
    authority.close();
    const redis = await startRedis(scope);
    const backends = await startBackends();
    cleanups.push(() => backends.stop());
    const dynamic = (extra: number): object => dynamicPart(backends, issued, extra);
    const start = async (name: NodeName): Promise<SoakNode> => {
      const gateway = await startGateway({
        workers: 2,
        static: staticPart(redis.port, join(probes, `access-${name}.log`)),
        dynamic: dynamic(0),
        env: {
          NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${new URL('./probe.ts', import.meta.url).href}`,
          SOAK_PROBE: probes,
          SOAK_PROBE_MS: String(probeMs),
        },
      });
      cleanups.push(() => gateway.kill());
      return { name, gateway };
    };
    const nodes = [await start('shaken'), await start('steady')] as const;
    return {
      redis,
      backends,
      nodes,
      root: authority.root,
      probes,
      dynamic,
      async stop() {
        const codes = await Promise.all(nodes.map(async ({ gateway }) => (await gateway.stop()).code));
        await clean();
        return codes;
      },
    };
  } catch (error) {
    await clean();
    throw error;
  }
}
