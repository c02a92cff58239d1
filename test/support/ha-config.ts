// The configuration of both gateways of the pair: one Redis, everything in it that nodes share.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lan } from './namespaces.ts';

export const backends = ['one', 'two'] as const;
export type Backend = (typeof backends)[number];
export const sentinelHosts: readonly string[] = [...backends, 'replica'];

/** A second, and tokens at once, of the routers `limited` and `strict`. */
export const limit = { average: 10, burst: 10 } as const;

export interface ConfigOptions {
  readonly sentinel: boolean;
  /** Directory and root file of the authority; null: there is none. */
  readonly acme: { readonly directory: string; readonly rootFile: string } | null;
}

/** The path of the static one. Both nodes read the dynamic one, which `putDynamic` changes. */
export function writeGatewayFiles(dir: string, lan: Lan, options: ConfigOptions): string {
  putDynamic(dir, lan);
  writeFileSync(join(dir, 'static.yml'), JSON.stringify(staticPart(dir, lan, options)));
  return join(dir, 'static.yml');
}

/** `secure`: names a router wants a certificate for, each one by itself. */
export function putDynamic(dir: string, lan: Lan, secure: readonly string[] = []): void {
  const servers = backends.map((name) => ({ url: `http://${lan.address(name)}:8000` }));
  const router = (path: string, service: string, ...middlewares: readonly string[]): object => ({
    rule: `PathPrefix(\`/${path}\`)`,
    service,
    middlewares: [...middlewares, 'again'],
    entryPoints: ['web'],
  });
  const secured = secure.map((name, at) => [
    `secure-${at}`,
    {
      rule: `Host(\`${name}\`)`,
      service: 'plain',
      entryPoints: ['websecure'],
      tls: { certResolver: 'pair' },
    },
  ]);
  const dynamic = {
    http: {
      routers: {
        plain: router('', 'plain'),
        protected: router('protected', 'plain', 'auth'),
        sticky: router('sticky', 'sticky'),
        session: router('session', 'session'),
        limited: router('limited', 'plain', 'limited'),
        strict: router('strict', 'plain', 'strict'),
        ...Object.fromEntries(secured),
      },
      middlewares: {
        again: { retry: { attempts: 2 } },
        auth: {
          forwardAuth: {
            address: `http://${lan.address('one')}:8000/auth`,
            authRequestHeaders: ['Authorization'],
            authResponseHeaders: ['X-User-Id'],
            cache: { ttl: '5m', key: ['header:Authorization'], shared: true },
          },
        },
        limited: { rateLimit: limit },
        strict: { rateLimit: { ...limit, mode: 'strict' } },
      },
      services: {
        plain: { loadBalancer: { servers } },
        sticky: { loadBalancer: { servers, sticky: { cookie: { name: 'to' } } } },
        session: { loadBalancer: { servers, sticky: { header: { name: 'Mcp-Session-Id' } } } },
      },
    },
  };
  writeFileSync(join(dir, 'dynamic.yml'), JSON.stringify(dynamic));
}

function staticPart(dir: string, lan: Lan, { sentinel, acme }: ConfigOptions): object {
  const lifeCycle = { requestAcceptGraceTimeout: '3s', graceTimeOut: '3s' };
  const redis = sentinel
    ? {
        endpoints: sentinelHosts.map((host) => `${lan.address(host)}:26379`),
        sentinel: { masterName: 'main' },
      }
    : { endpoints: [`${lan.address('redis')}:6379`] };
  const resolver = acme && {
    acme: {
      email: 'ops@example.com',
      caServer: acme.directory,
      caCertificates: [acme.rootFile],
      storage: join(dir, 'acme.json'),
      httpChallenge: { entryPoint: 'web' },
    },
  };
  return {
    workers: 2,
    ping: {},
    log: { level: 'INFO', format: 'json' },
    entryPoints: {
      web: { address: ':80', transport: { lifeCycle } },
      traefik: { address: ':8080', transport: { lifeCycle } },
      ...(resolver && { websecure: { address: ':443', transport: { lifeCycle } } }),
    },
    providers: { file: { filename: join(dir, 'dynamic.yml') } },
    state: { redis, secret: 'a secret of the pair that no reader of Redis has: 0123456789' },
    ...(resolver && { certificatesResolvers: { pair: resolver } }),
  };
}
