// What both gateways of a soak are told: a route for each kind of request, and routers that come and go.

import type { Issued } from '../support/pki.ts';
import type { Backends } from './backends.ts';
import { limit } from './plan.ts';

const secret = 'a secret of the soak that no reader of Redis has: 0123456789';

/** With metrics, an access log that is rotated, sessions, limits and decisions in Redis. */
export function staticPart(redisPort: number, accessLog: string): object {
  const transport = { lifeCycle: { graceTimeOut: '3s' } };
  return {
    log: { level: 'INFO', format: 'json' },
    ping: {},
    entryPoints: {
      traefik: { transport },
      web: { transport },
      tls: { transport },
      h2: { transport, engine: 'node' },
    },
    metrics: { prometheus: { addRoutersLabels: true } },
    accessLog: { filePath: accessLog, format: 'json', rotation: { maxSize: 8, maxBackups: 2 } },
    // What is loaded into each process for the soak (probe.ts) needs them in workers, too.
    workerEnv: ['SOAK_PROBE', 'SOAK_PROBE_MS'],
    state: { redis: { endpoints: [`127.0.0.1:${redisPort}`] }, secret },
  };
}

export function dynamicPart(backends: Backends, issued: Issued, extra: number): object {
  const others = Array.from({ length: extra }, (_, at) => at);
  const servers = (list: readonly { readonly url: string }[]): object => ({
    servers: list.map(({ url }) => ({ url })),
  });
  const app = servers(backends.app);
  const calm = servers(backends.calm);
  return {
    http: {
      routers: {
        ...routers(),
        ...Object.fromEntries(
          others.map((at) => [
            `extra-${at}`,
            {
              rule: `Host(\`extra-${at}.test\`) && PathPrefix(\`/x\`)`,
              service: `extra-${at}`,
              middlewares: ['zip'],
            },
          ]),
        ),
      },
      middlewares: middlewares(backends),
      services: {
        app: { loadBalancer: app },
        calm: { loadBalancer: calm },
        cookie: { loadBalancer: { ...calm, sticky: { cookie: { name: 'to' } } } },
        session: { loadBalancer: { ...calm, sticky: { header: { name: 'Mcp-Session-Id' } } } },
        ...Object.fromEntries(others.map((at) => [`extra-${at}`, { loadBalancer: calm }])),
      },
    },
    tls: { certificates: [{ certFile: issued.cert, keyFile: issued.key }] },
  };
}

function routers(): object {
  const router = (path: string, service: string, ...names: readonly string[]): object => ({
    rule: `Host(\`soak.test\`) && PathPrefix(\`${path}\`)`,
    service,
    middlewares: names,
    entryPoints: ['web'],
  });
  return {
    plain: router('/plain', 'app', 'again'),
    upload: router('/upload', 'app'),
    download: router('/download', 'app'),
    socket: router('/socket', 'app'),
    zip: router('/zip', 'app', 'zip', 'again'),
    cached: router('/cached', 'app', 'cached', 'again'),
    uncached: router('/uncached', 'app', 'asked', 'again'),
    cookie: router('/cookie', 'cookie'),
    session: router('/session', 'session'),
    limited: router('/limited', 'calm', 'limited'),
    flaky: router('/flaky', 'calm', 'again'),
    broken: router('/broken', 'calm', 'pages'),
    tls: { ...router('/plain', 'app', 'again'), entryPoints: ['tls', 'h2'], tls: {} },
  };
}

function middlewares({ auth }: Backends): object {
  const forwardAuth = {
    address: auth.url,
    authRequestHeaders: ['Authorization'],
    authResponseHeaders: ['X-User-Id'],
  };
  return {
    again: { retry: { attempts: 3, initialInterval: '10ms' } },
    zip: { compress: {} },
    asked: { forwardAuth },
    cached: {
      forwardAuth: {
        ...forwardAuth,
        cache: { ttl: '5s', key: ['header:Authorization'], shared: true },
      },
    },
    limited: { rateLimit: { ...limit, mode: 'strict', sourceCriterion: { requestHost: true } } },
    pages: { errors: { status: ['500-599'], service: 'calm', query: '/page/{status}' } },
  };
}
