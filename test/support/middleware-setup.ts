// A gateway with a router for each middleware under test, before an origin, a server of pages and a dead one.

import assert from 'node:assert/strict';
import { type Answer, type Ask, ask } from './ask.ts';
import { freePorts, startGateway, type TestGateway } from './gateway.ts';
import { type Origin, startOrigin } from './origin.ts';

export interface Setup {
  readonly gateway: TestGateway;
  readonly origin: Origin;
  readonly pages: Origin;
  /** Nobody listens there. */
  readonly dead: number;
  /** The dynamic configuration; `more` replaces or adds middlewares. */
  config(more?: Readonly<Record<string, object>>): object;
}

type Middlewares = Readonly<Record<string, object>>;

/** A router for each middleware at `<name>.test`, and for each list in `chains`. */
export async function setUp(
  middlewares: Middlewares,
  chains: Readonly<Record<string, { readonly use: readonly string[]; readonly service?: string }>> = {},
): Promise<Setup> {
  const origin = await startOrigin({ maxBody: 64 * 1024 * 1024 });
  const pages = await startOrigin({ name: 'a page' });
  const [dead = 0] = await freePorts(1);
  const config = (more: Middlewares = {}): object => {
    const all = { ...middlewares, ...more };
    const router = (name: string, use: readonly string[], service = 'origin') =>
      [name, { rule: `Host(\`${name}.test\`)`, service, middlewares: use }] as const;
    return {
      http: {
        routers: Object.fromEntries([
          ...Object.keys(all).map((name) => router(name, [name])),
          ...Object.entries(chains).map(([name, { use, service }]) => router(name, use, service)),
          router('bare', []),
        ]),
        middlewares: all,
        services: {
          origin: { loadBalancer: { servers: [{ url: origin.url }] } },
          pages: { loadBalancer: { servers: [{ url: pages.url }] } },
          dead: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${dead}` }] } },
        },
      },
    };
  };
  const gateway = await startGateway({ dynamic: config() });
  return { gateway, origin, pages, dead, config };
}

/** Stops all of it; no bug of the gateway may stand in its log. */
export async function tearDown({ gateway, origin, pages }: Setup): Promise<void> {
  await gateway.stop();
  const wrong = /^.*(?:"level":"fatal"|A bug of the gateway).*$/m.exec(gateway.logs());
  await Promise.all([origin.stop(), pages.stop()]);
  assert.equal(wrong?.[0], undefined);
}

/** Asks `<host>.test`. */
export const get = ({ gateway }: Setup, host: string, rest: Partial<Ask> = {}): Promise<Answer> =>
  ask(gateway.port('web'), { ...rest, host: `${host}.test` });

export const headerOf = (answer: Answer, name: string): string | undefined =>
  answer.headers.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
