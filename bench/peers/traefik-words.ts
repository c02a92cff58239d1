// Traefik's configuration for a site: what Portcullis and Traefik read alike.

import { certificate } from '../certificate.ts';
import { rateLimit, type Route, type Site, stickyCookie } from '../site.ts';
import { isLimited, isSticky, type Place } from './peer.ts';

/** JSON is YAML. */
export function dynamicFile(site: Site, place: Place): string {
  const { origin, node, auth, twin } = place.backends;
  const service = (address: string): object => ({
    loadBalancer: { servers: [{ url: `http://${address}` }] },
  });
  const sticky = {
    loadBalancer: {
      servers: [{ url: `http://${origin}` }, { url: `http://${twin}` }],
      sticky: { cookie: { name: stickyCookie } },
    },
  };
  const forwardAuth = {
    address: `http://${auth}/validate`,
    authRequestHeaders: ['Authorization'],
    authResponseHeaders: ['X-User-Id'],
  };
  const cache = { ttl: '60s', key: ['header:Authorization'] };
  const guards = new Set(site.routes.map((route) => route.guard));
  const middlewares = {
    ...(guards.has('asked') && { asked: { forwardAuth } }),
    ...(isLimited(site) && { limited: { rateLimit: { average: rateLimit, burst: rateLimit } } }),
    ...(guards.has('cached') && { cached: { forwardAuth: { ...forwardAuth, cache } } }),
  };
  return JSON.stringify({
    http: {
      routers: Object.fromEntries(site.routes.map((route) => [route.name, router(route, site)])),
      services: {
        origin: service(origin),
        node: service(node),
        ...(isSticky(site) && { sticky }),
      },
      ...(Object.keys(middlewares).length > 0 && { middlewares }),
    },
    ...(site.isHttps === true && { tls: tlsSection() }),
  });
}

function tlsSection(): object {
  const { cert, key } = certificate();
  const pair = { certFile: cert, keyFile: key };
  return { certificates: [pair], stores: { default: { defaultCertificate: pair } } };
}

export function staticFlags(site: Site, place: Place, dynamic: string): string[] {
  const log = `${place.folder}/access.log`;
  return [
    `--entryPoints.web.address=127.0.0.1:${place.port}`,
    `--providers.file.filename=${dynamic}`,
    '--log.level=ERROR',
    ...(site.accessLog ? ['--accessLog=true', `--accessLog.filePath=${log}`] : []),
    ...(site.metrics ? ['--metrics.prometheus=true', '--metrics.prometheus.manualRouting=true'] : []),
  ];
}

function router(route: Route, { isHttps }: Site): object {
  const names = [...(route.isLimited ? ['limited'] : []), ...(route.guard === null ? [] : [route.guard])];
  const path = `PathPrefix(\`${route.path}\`)`;
  return {
    rule: route.host === null ? path : `Host(\`${route.host}\`) && ${path}`,
    service: route.to,
    ...(isHttps === true && { tls: {} }),
    ...(names.length > 0 && { middlewares: names }),
  };
}
