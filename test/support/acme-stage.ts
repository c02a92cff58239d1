// What gateways under test get their certificates from: pebble, names that all lead here, and an origin to serve.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { startDnsServer } from './dns-server.ts';
import { freePorts, type GatewayOptions, startGateway, type TestGateway } from './gateway.ts';
import { startOrigin } from './origin.ts';
import { type Pebble, type PebbleOptions, startPebble } from './pebble.ts';
import { tlsAsk } from './tls-client.ts';

export interface AcmeStage {
  readonly pebble: Pebble;
  /** Where pebble asks for http-01: the port of the entry point `web`. */
  readonly webPort: number;
  /** `certificatesResolvers` with one, `main`, which asks pebble. */
  resolvers(changes?: object): object;
  /** Entry points `web` and `websecure`, and the resolver; `more` replaces or adds sections. */
  static(more?: object): object;
  /** A router over TLS for each host, to the origin: the service `origin`. Other routers beside them. */
  dynamic(hosts: readonly string[], routers?: object): object;
  /** Stopped at the end of the test, before what it asks. */
  start(options: GatewayOptions): Promise<TestGateway>;
}

/** All of it is gone at the end of the test. */
export async function setAcmeStage(
  t: TestContext,
  pebbleOptions: Partial<PebbleOptions> = {},
): Promise<AcmeStage> {
  const dns = await startDnsServer();
  const [webPort] = (await freePorts(1)) as [number];
  const pebble = await startPebble({ httpPort: webPort, dnsServer: dns.address, ...pebbleOptions });
  const origin = await startOrigin();
  const gateways: TestGateway[] = [];
  t.after(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await Promise.all([pebble.stop(), dns.close(), origin.stop()]);
  });
  const resolvers = (changes: object = {}): object =>
    mainResolver({ caServer: pebble.directory, caCertificates: [pebble.rootFile], ...changes });
  return {
    pebble,
    webPort,
    resolvers,
    static: (more = {}) => ({
      entryPoints: { web: { address: `127.0.0.1:${webPort}` }, websecure: {} },
      certificatesResolvers: resolvers(),
      ...more,
    }),
    dynamic: (hosts, routers = {}) => ({
      http: {
        routers: { ...routers, ...certifiedRouters(hosts) },
        services: { origin: { loadBalancer: { servers: [{ url: origin.url }] } } },
      },
    }),
    async start(options) {
      const gateway = await startGateway(options);
      gateways.push(gateway);
      return gateway;
    },
  };
}

/** `certificatesResolvers` with one, `main`, over http-01 at `web`; `settings` name the authority at least. */
export function mainResolver(settings: object): object {
  const acme = {
    email: 'someone@example.test',
    keyType: 'EC256',
    storage: 'acme.json',
    httpChallenge: { entryPoint: 'web' },
    ...settings,
  };
  return { main: { acme } };
}

/** A router for each host at `websecure`, to the service `origin`, with a certificate from `main`. */
export function certifiedRouters(hosts: readonly string[]): Record<string, object> {
  return Object.fromEntries(
    hosts.map((host) => [
      host.replaceAll('.', '-'),
      {
        rule: `Host(\`${host}\`)`,
        entryPoints: ['websecure'],
        service: 'origin',
        tls: { certResolver: 'main' },
      },
    ]),
  );
}

/** It answers for `a.test` over TLS, with whatever certificate there is. */
export async function servesTls(gateway: TestGateway): Promise<void> {
  const request = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';
  assert.equal((await tlsAsk(gateway.port('websecure'), { servername: 'a.test' }, request)).status, 200);
}

/** What the API says of the certificates that are wanted, as JSON text. */
export async function acmeStates(gateway: TestGateway): Promise<string> {
  return await (await fetch(`${gateway.url('traefik')}/api/portcullis/acme`)).text();
}
