// The static configuration: every root key, from entry points to workers.

import { z } from 'zod';
import { bool, duration, int, list, object, section, text } from '../../proxy/middlewares/fields.ts';
import { certificatesResolvers } from './acme.ts';
import { key, keyOr, later, oneOf, refused, removed } from './define.ts';
import { entryPoints } from './entry-points.ts';
import { accessLog, api, log, metrics, ping, tracing } from './observability.ts';
import { providers } from './providers.ts';
import { state } from './state.ts';

/** Most workers of one gateway: beyond it the primary's broadcasts cost more than a core brings. */
export const maxWorkers = 64;

const global = object({
  checkNewVersion: keyOr(bool, true, 'Accepted; nothing is ever sent'),
  sendAnonymousUsage: keyOr(bool, false, 'Accepted; nothing is ever sent'),
  notAppendXForwardedFor: keyOr(bool, false, 'On no entry point append the peer to X-Forwarded-For'),
});

const serversTransport = object({
  insecureSkipVerify: keyOr(bool, false, 'Do not verify the certificates of servers'),
  rootCAs: keyOr(list, [], 'Files or PEM texts of the roots that servers are verified with'),
  maxIdleConnsPerHost: keyOr(int, 200, 'Idle connections kept per server; negative keeps none'),
  forwardingTimeouts: object({
    dialTimeout: keyOr(duration, 30_000, 'For a connection; 0 is none'),
    responseHeaderTimeout: keyOr(duration, 0, 'For the head of a response; 0 is none'),
    idleConnTimeout: keyOr(duration, 90_000, 'How long an idle connection is kept'),
  }).prefault({}),
  spiffe: refused('give `rootCAs`, and `peerCertURI` in a serversTransport of the dynamic configuration'),
});

const experimental = object({
  plugins: later(z.record(z.string(), z.any()).optional()),
  localPlugins: later(z.record(z.string(), z.any()).optional()),
  abortOnPluginFailure: later(keyOr(bool, false, 'Stop when a plugin does not load')),
  fastProxy: later(z.any().optional()),
  otlpLogs: later(keyOr(bool, false, 'Allow logs over OTLP')),
  kubernetesGateway: refused('the file provider reads the same configuration from files'),
  http3: removed('HTTP/3 is no experiment: delete the option'),
  hub: removed('delete the section'),
});

export const staticSchema = object({
  global: global.prefault({}),
  workers: key(int, 'Worker processes; one per CPU unless said'),
  workerUser: key(text, 'User of the workers, or `uid:gid`, when the primary is root; its own unless said'),
  workerEnv: keyOr(list, [], 'Variables of the environment that workers get, too: for plugins'),
  entryPoints: entryPoints.optional(),
  providers: providers.prefault({}),
  serversTransport: serversTransport.prefault({}),
  api: api.optional(),
  ping: ping.optional(),
  log: log.optional(),
  accessLog: accessLog.optional(),
  metrics: metrics.optional(),
  tracing: tracing.optional(),
  certificatesResolvers: certificatesResolvers.optional(),
  hostResolver: later(
    section({
      cnameFlattening: keyOr(bool, false, 'Follow CNAMEs of the Host header'),
      resolvConfig: keyOr(text, '/etc/resolv.conf', 'Resolver configuration'),
      resolvDepth: keyOr(int, 5, 'CNAMEs followed'),
    }).optional(),
  ),
  core: object({
    defaultRuleSyntax: keyOr(oneOf(['v2', 'v3']), 'v3', 'Rule syntax of routers that name none'),
  }).prefault({}),
  ocsp: later(section({ responderOverrides: z.record(z.string(), text).optional() }).optional()),
  experimental: experimental.optional(),
  tcpServersTransport: refused('TCP is not served'),
  spiffe: refused('certificates for servers come from files: `serversTransport.rootCAs`'),
  state: state.optional(),
  plugins: z
    .record(
      z.string(),
      object({ module: text.meta({ type: 'text', summary: 'File of a middleware of your own' }) }),
    )
    .optional(),
  pilot: removed('delete the section'),
  hub: removed('delete the section'),
});

export type StaticConfig = z.output<typeof staticSchema>;
