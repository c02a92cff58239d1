// The schema of a dynamic file, object by object. Loading decodes each object by itself, so that one broken
// router never takes its neighbours along; `dynamicSchema` is the whole, for documentation and editors.

import { z } from 'zod';
import {
  bigint,
  bool,
  duration,
  int,
  list,
  object,
  section,
  text,
  textMap,
  timeout,
} from '../../proxy/middlewares/fields.ts';
import { statusRanges } from '../../proxy/middlewares/status-ranges.ts';
import { later } from '../static/define.ts';
import { middlewareSchema } from './middleware-schema.ts';
import { serverUrl } from './server-url.ts';
import { isSessionHeader } from './session-header.ts';
import { alpnProtocols, cipherSuites, clientAuthType, curvePreferences, tlsVersion } from './tls-words.ts';

const domain = object({ main: text.optional(), sans: list.optional() });

export const routerSchema = object({
  rule: text.default(''),
  ruleSyntax: z.enum(['v2', 'v3']).optional(),
  priority: bigint.default(0n),
  entryPoints: list.optional(),
  middlewares: list.default([]),
  service: text.optional(),
  parentRefs: list.optional(),
  tls: section({
    options: text.optional(),
    certResolver: text.optional(),
    domains: z.array(domain).optional(),
  }).optional(),
  observability: object({
    accessLogs: bool.optional(),
    metrics: bool.optional(),
    tracing: bool.optional(),
    traceVerbosity: z.enum(['minimal', 'detailed']).optional(),
  }).optional(),
});
export type RouterConfig = z.output<typeof routerSchema>;

// Of anything else Set-Cookie would be another line, or another attribute.
const cookieText = text.refine(
  (value) => /^[\x20-\x3a\x3c-\x7e]*$/.test(value),
  'expected printable ASCII without a semicolon',
);

const sticky = object({
  cookie: section({
    name: text.optional(),
    secure: bool.default(false),
    httpOnly: bool.default(false),
    sameSite: text.optional(),
    maxAge: int.default(0),
    path: cookieText.default('/'),
    domain: cookieText.optional(),
  }).optional(),
  header: object({
    name: text.refine(isSessionHeader, 'expected the name of a header that names sessions'),
    ttl: duration
      .refine((ms) => ms >= 1000 && ms <= 2_592_000_000, 'expected 1 second to 30 days')
      .default(86_400_000),
    onLost: z.enum(['repick', '404']).default('repick'),
  }).optional(),
});

const loadBalancerSchema = object({
  servers: z
    .array(
      object({
        url: serverUrl,
        weight: int.default(1),
        preservePath: bool.default(false),
        drain: bool.default(false),
      }),
    )
    .default([]),
  strategy: z.enum(['wrr', 'p2c', 'hrw', 'leasttime']).default('wrr'),
  passHostHeader: bool.default(true),
  responseForwarding: object({ flushInterval: duration.default(100) }).optional(),
  serversTransport: text.optional(),
  sticky: sticky.optional(),
  healthCheck: object({
    path: text.default(''),
    scheme: z.enum(['http', 'https']).optional(),
    mode: z.enum(['http', 'grpc']).default('http'),
    port: int.refine((port) => port >= 1 && port <= 65_535, 'expected a port from 1 to 65535').optional(),
    hostname: text.optional(),
    method: text.default('GET'),
    status: int
      .refine((status) => status === 0 || (status >= 100 && status <= 599), 'expected 0 or a status code')
      .default(0),
    interval: duration.default(30_000),
    unhealthyInterval: duration.optional(),
    timeout: duration.default(5000),
    followRedirects: bool.default(true),
    headers: textMap.default({}),
    rise: int.default(1),
    fall: int.default(1),
    initial: z.enum(['up', 'down']).default('up'),
  }).optional(),
  passiveHealthCheck: section({
    failureWindow: duration.default(10_000),
    maxFailedAttempts: int.default(1),
  }).optional(),
});
export type LoadBalancerConfig = z.output<typeof loadBalancerSchema>;

const weightedItem = object({
  name: text,
  weight: int.refine((n) => n >= 0, 'expected 0 or more').default(1),
});
const percent = int.refine((n) => n >= 0 && n <= 100, 'expected 0 to 100');
const propagate = section({}).optional();

const weightedSchema = object({
  services: z.array(weightedItem).default([]),
  sticky: sticky.optional(),
  healthCheck: propagate,
});
const highestRandomWeightSchema = object({
  services: z.array(weightedItem).default([]),
  healthCheck: propagate,
});
const mirroringSchema = object({
  service: text,
  mirrorBody: bool.default(true),
  maxBodySize: int.default(-1),
  mirrors: z.array(object({ name: text, percent: percent.default(0) })).default([]),
  healthCheck: propagate,
});
const failoverSchema = object({
  service: text,
  fallback: text,
  healthCheck: propagate,
  errors: object({ status: statusRanges.default([]), maxRequestBodyBytes: int.default(-1) }).optional(),
});
export type StickyConfig = z.output<typeof sticky>;
export type WeightedConfig = z.output<typeof weightedSchema>;
export type HighestRandomWeightConfig = z.output<typeof highestRandomWeightSchema>;
export type MirroringConfig = z.output<typeof mirroringSchema>;
export type FailoverConfig = z.output<typeof failoverSchema>;

export const serviceSchema = object({
  loadBalancer: loadBalancerSchema.optional(),
  weighted: weightedSchema.optional(),
  highestRandomWeight: highestRandomWeightSchema.optional(),
  mirroring: mirroringSchema.optional(),
  failover: failoverSchema.optional(),
  middlewares: list.optional(),
});

export const transportSchema = object({
  serverName: text.optional(),
  insecureSkipVerify: bool.default(false),
  rootCAs: list.default([]),
  certificates: z.array(object({ certFile: text, keyFile: text })).default([]),
  cipherSuites: cipherSuites.optional(),
  minVersion: tlsVersion.optional(),
  maxVersion: tlsVersion.optional(),
  maxIdleConnsPerHost: int.default(0),
  forwardingTimeouts: object({
    dialTimeout: timeout.default(30_000),
    responseHeaderTimeout: timeout.default(0),
    idleConnTimeout: timeout.default(90_000),
    readIdleTimeout: later(timeout.optional()),
    pingTimeout: later(timeout.optional()),
  }).optional(),
  disableHTTP2: bool.default(false),
  peerCertURI: text.optional(),
  spiffe: section({ ids: list.optional(), trustDomain: text.optional() }).optional(),
});
/** `rootCAs` and `certificates` hold PEM texts once a provider has read the files. */
export type TransportConfig = z.output<typeof transportSchema>;

const certificate = { certFile: text.optional(), keyFile: text.optional() };
export const certificateSchema = object({ ...certificate, stores: list.optional() });
export type CertificateConfig = z.output<typeof certificateSchema>;

export const storeSchema = section({
  defaultCertificate: object(certificate).optional(),
  defaultGeneratedCert: object({ resolver: text.optional(), domain: domain.optional() }).optional(),
});
export type StoreConfig = z.output<typeof storeSchema>;

export const optionsSchema = section({
  minVersion: tlsVersion.optional(),
  maxVersion: tlsVersion.optional(),
  cipherSuites: cipherSuites.optional(),
  curvePreferences: curvePreferences.optional(),
  clientAuth: object({ caFiles: list.default([]), clientAuthType: clientAuthType.optional() }).optional(),
  sniStrict: bool.default(false),
  alpnProtocols: alpnProtocols.optional(),
  disableSessionTickets: bool.default(false),
  preferServerCipherSuites: bool.optional(),
});
/** `caFiles` hold PEM texts once the files are read. */
export type OptionsConfig = z.output<typeof optionsSchema>;

const tlsSchema = object({
  certificates: z.array(certificateSchema).optional(),
  stores: z.record(z.string(), storeSchema).optional(),
  options: z.record(z.string(), optionsSchema).optional(),
});

/** A whole dynamic file. */
export const dynamicSchema = object({
  http: object({
    routers: z.record(z.string(), routerSchema).optional(),
    services: z.record(z.string(), serviceSchema).optional(),
    middlewares: z.record(z.string(), middlewareSchema).optional(),
    serversTransports: z.record(z.string(), transportSchema).optional(),
  }).optional(),
  tls: tlsSchema.optional(),
});
