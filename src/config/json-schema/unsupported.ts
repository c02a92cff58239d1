// What of Traefik's configuration is not supported, found out by asking the schemas and the loaders themselves.

import type { z } from 'zod';
import { definitionOf } from '../decode/layout.ts';
import { dynamicSchema } from '../dynamic/schema.ts';
import { staticSchema } from '../static/schema.ts';
import { describe } from './describe.ts';
import { probe } from './probe.ts';

export interface Unsupported {
  readonly path: string;
  /** `refused` and `removed` are errors; `later` is accepted and has no effect. */
  readonly status: 'refused' | 'removed' | 'later';
  readonly instead: string;
}

/** In the order of the reference: static keys, then dynamic ones. */
export function unsupportedKeys(): Unsupported[] {
  return [...staticOnes(), ...dynamicOnes()];
}

export function unsupportedText(): string {
  const words = { refused: 'refused', removed: 'removed in v3', later: 'no effect yet' } as const;
  const rows = unsupportedKeys().map(({ path, status, instead }) => [path, words[status], instead]);
  const width = Math.max(...rows.map(([path = '']) => path.length));
  return rows
    .map(([path = '', status = '', instead = '']) =>
      `${path.padEnd(width)}  ${status.padEnd(13)}  ${instead}`.trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** A section without effect stands for all its keys but those that are errors. */
function staticOnes(): Unsupported[] {
  const found: Unsupported[] = [];
  collect(staticSchema, '', { isLater: false, found });
  return found;
}

function collect(
  schema: z.ZodType,
  path: string,
  above: { readonly isLater: boolean; found: Unsupported[] },
): void {
  const { core, note } = describe(schema);
  const { shape, valueType, element } = definitionOf(core);
  const { status } = note;
  const isLater = above.isLater || status === 'later';
  if (status !== undefined && status !== 'effective' && !(status === 'later' && above.isLater))
    above.found.push({ path, status, instead: note.instead ?? '' });
  const below = { isLater, found: above.found };
  for (const [key, child] of Object.entries(shape ?? {}))
    collect(child, path === '' ? key : `${path}.${key}`, below);
  if (valueType !== undefined) collect(valueType, `${path}.<name>`, below);
  if (element !== undefined) collect(element, `${path}[n]`, below);
}

const refusedAnswer = 'routers that need it answer 503';

function dynamicOnes(): Unsupported[] {
  const probed = probes.flatMap(([path, document]): Unsupported[] => {
    const status = probe(document);
    const instead = path === 'tcp' || path === 'udp' ? 'only HTTP is served' : refusedAnswer;
    return status === null ? [] : [{ path, status, instead: status === 'refused' ? instead : '' }];
  });
  const later: Unsupported[] = [];
  collect(dynamicSchema, '', { isLater: false, found: later });
  return [...probed, ...later];
}

const router = { rule: 'Path(`/`)', service: 's' };
const balancer = (own: object): object => ({
  http: { services: { s: { loadBalancer: { servers: [{ url: 'http://a' }], ...own } } } },
});
const service = (own: object): object => ({ http: { services: { s: own } } });
const two = { services: [{ name: 'a' }] };

/** The smallest document that uses a thing; whether it is refused, the loader says. */
const probes: readonly (readonly [string, object])[] = [
  ['http.routers.<name>.parentRefs', { http: { routers: { r: { ...router, parentRefs: ['a'] } } } }],
  ['http.services.<name>.weighted', service({ weighted: two })],
  [
    'http.services.<name>.weighted.sticky.header',
    service({ weighted: { ...two, sticky: { header: { name: 'a' } } } }),
  ],
  ['http.services.<name>.highestRandomWeight', service({ highestRandomWeight: two })],
  ['http.services.<name>.mirroring', service({ mirroring: { service: 'a' } })],
  ['http.services.<name>.failover', service({ failover: { service: 'a', fallback: 'b' } })],
  [
    'http.services.<name>.middlewares',
    { http: { services: { s: { loadBalancer: {}, middlewares: ['a'] } } } },
  ],
  ['http.services.<name>.loadBalancer.strategy: p2c', balancer({ strategy: 'p2c' })],
  ['http.services.<name>.loadBalancer.strategy: hrw', balancer({ strategy: 'hrw' })],
  ['http.services.<name>.loadBalancer.strategy: leasttime', balancer({ strategy: 'leasttime' })],
  ['http.services.<name>.loadBalancer.sticky.header', balancer({ sticky: { header: { name: 'a' } } })],
  [
    'http.services.<name>.loadBalancer.passiveHealthCheck',
    balancer({ passiveHealthCheck: { maxFailedAttempts: 1 } }),
  ],
  [
    'http.services.<name>.loadBalancer.healthCheck.mode: grpc',
    balancer({ healthCheck: { path: '/', mode: 'grpc' } }),
  ],
  [
    'http.serversTransports.<name>.spiffe',
    { http: { serversTransports: { t: { spiffe: { ids: ['a'] } } } } },
  ],
  ['http.serversTransports.<name>.peerCertURI', { http: { serversTransports: { t: { peerCertURI: 'a' } } } }],
  ['tcp', { tcp: { routers: { r: router } } }],
  ['udp', { udp: { routers: { r: { service: 's' } } } }],
  ['tls.certificates', { tls: { certificates: [{ certFile: 'a', keyFile: 'b' }] } }],
  [
    'tls.stores.<name>',
    { tls: { stores: { default: { defaultCertificate: { certFile: 'a', keyFile: 'b' } } } } },
  ],
  ['tls.options.<name>', { tls: { options: { o: { minVersion: 'VersionTLS12' } } } }],
];
