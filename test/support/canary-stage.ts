// A gateway with a secret in every place that takes one, before Redis, an auth server and a collector.

import { createHash, randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { freePorts, startGateway, type TestGateway } from './gateway.ts';
import { type Origin, startOrigin } from './origin.ts';
import { type OtlpReceiver, startOtlpHttp } from './otlp-receiver.ts';
import { makeAuthority } from './pki.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

export interface CanaryStage {
  readonly gateway: TestGateway;
  readonly redis: RedisServer;
  readonly collector: OtlpReceiver;
  /** Texts that must be found nowhere, by what they are. */
  readonly configured: Readonly<Record<string, string>>;
  readonly query: string;
}

/** A text that is nowhere else. */
export const freshCanary = (): string => `Canary${randomBytes(12).toString('hex')}`;

/** Gone at the end of the test. */
export async function openCanaryStage(t: TestContext, engine: 'uws' | 'node'): Promise<CanaryStage> {
  const configured: Record<string, string> = {
    'the password of Redis': freshCanary(),
    'state.secret': `${freshCanary()}-and-more-than-32-characters`,
    'the password of ann': freshCanary(),
    'the jwt secret': `${freshCanary()}-long-enough-for-everybody`,
    'a header for the server': freshCanary(),
    'a query of the auth server': freshCanary(),
    'a header of the collector': freshCanary(),
    'a secret in the environment': freshCanary(),
    'the EAB key': Buffer.from(freshCanary()).toString('base64url'),
    'a digest': createHash('md5').update(freshCanary()).digest('hex'),
  };
  const of = (name: string): string => configured[name] as string;
  configured['the hash of ann'] = createHash('sha1').update(of('the password of ann')).digest('base64');
  const authority = makeAuthority();
  const { cert, key } = authority.issue(['canary.test']);
  authority.close();
  configured['the TLS key'] = key.split('\n')[2] as string;

  const redis = await startRedis(t, {
    lines: [`requirepass ${of('the password of Redis')}`, 'rdbcompression no', 'dbfilename canary.rdb'],
    cliArgs: ['-a', of('the password of Redis'), '--no-auth-warning'],
  });
  const origin = await startOrigin();
  const auth = await startOrigin({
    answer: (request, response) => {
      const isGood = String(request.headers.authorization).startsWith('Bearer Canary');
      response.writeHead(isGood ? 200 : 401, isGood ? { 'X-User-Id': '7' } : {}).end();
    },
  });
  const collector = await startOtlpHttp();
  const [dead = 0] = await freePorts(1);
  const gateway = await startGateway({
    workers: 2,
    env: { TRAEFIK_STATE_SECRET: of('a secret in the environment') },
    static: {
      entryPoints: { web: { engine }, websecure: { engine }, traefik: {} },
      accessLog: { filePath: 'access.log', format: 'json' },
      metrics: { prometheus: {} },
      tracing: {
        otlp: { http: { endpoint: `http://127.0.0.1:${collector.port}/v1/traces` } },
        sampleRate: 1,
      },
      state: {
        redis: { endpoints: [`127.0.0.1:${redis.port}`], password: of('the password of Redis') },
        secret: of('state.secret'),
      },
      certificatesResolvers: {
        main: {
          acme: {
            email: 'someone@example.test',
            caServer: `http://127.0.0.1:${dead}/directory`,
            storage: 'acme.json',
            eab: { kid: 'kid-1', hmacEncoded: of('the EAB key') },
            keyType: 'EC256',
            httpChallenge: { entryPoint: 'web' },
          },
        },
      },
    },
    dynamic: dynamicOf({ of, origin, auth, dead, cert, key }),
  });
  t.after(async () => {
    await gateway.stop();
    await Promise.all([origin.stop(), auth.stop(), collector.stop()]);
  });
  return { gateway, redis, collector, configured, query: 'a token in the query' };
}

interface Parts {
  readonly of: (name: string) => string;
  readonly origin: Origin;
  readonly auth: Origin;
  readonly dead: number;
  readonly cert: string;
  readonly key: string;
}

function dynamicOf({ of, origin, auth, dead, cert, key }: Parts): object {
  const router = (path: string, service: string, ...middlewares: readonly string[]) => ({
    rule: `PathPrefix(\`${path}\`)`,
    service,
    middlewares,
    observability: { traceVerbosity: 'detailed' },
  });
  const address = `${auth.url}/verify?key=${of('a query of the auth server')}`;
  return {
    http: {
      routers: {
        public: router('/public', 'origin', 'told'),
        cached: router('/cached', 'origin', 'cached'),
        asked: router('/asked', 'origin', 'asked'),
        basic: router('/basic', 'origin', 'basic'),
        digest: router('/digest', 'origin', 'digest'),
        jwt: router('/jwt', 'origin', 'jwt'),
        dead: router('/dead', 'dead'),
        page: router('/page', 'dead', 'pages'),
        limited: router('/limited', 'origin', 'limited'),
        secure: { rule: 'Host(`canary.test`)', service: 'origin', entryPoints: ['websecure'], tls: {} },
        ordered: {
          rule: 'Host(`ordered.test`)',
          service: 'origin',
          entryPoints: ['websecure'],
          tls: { certResolver: 'main' },
        },
      },
      middlewares: {
        cached: {
          forwardAuth: { address, authResponseHeaders: ['X-User-Id'], cache: { ttl: '600s', shared: true } },
        },
        asked: { forwardAuth: { address, authResponseHeaders: ['X-User-Id'] } },
        basic: { basicAuth: { users: [`ann:{SHA}${of('the hash of ann')}`], headerField: 'X-Who' } },
        digest: { digestAuth: { users: [`ann:traefik:${of('a digest')}`] } },
        jwt: { jwt: { secret: of('the jwt secret'), algorithms: ['HS256'] } },
        told: { headers: { customRequestHeaders: { 'X-Backend-Auth': of('a header for the server') } } },
        pages: {
          errors: {
            status: ['500-599'],
            service: 'origin',
            query: '/public/page?of={url}',
            errorRequestHeaders: [],
          },
        },
        limited: {
          rateLimit: { average: 1000, burst: 1000, sourceCriterion: { requestHeaderName: 'Authorization' } },
        },
      },
      services: {
        origin: { loadBalancer: { servers: [{ url: origin.url }] } },
        dead: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${dead}` }] } },
      },
    },
    tls: { certificates: [{ certFile: cert, keyFile: key }] },
  };
}
