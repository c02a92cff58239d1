// Our settings in the client library's words.

import type { ClusterOptions, RedisOptions } from 'ioredis';
import type { RedisSettings } from '../../model/redis.ts';

/** Replies as RESP2 has them. */
interface Plain {
  readonly replyMapping: 'legacy';
}

type NodeOptions = RedisOptions & Plain;

/** Milliseconds for a connection. */
const connectTimeout = 1000;
/** Milliseconds without a byte, while something is waited for, after which a connection is given up. */
const stallTimeout = 2000;
/** Milliseconds: the longest pause between two tries. */
const longestPause = 1000;

/** Milliseconds before try `times`, counted from 1: from 50 to 1,000, spread so that nodes do not come at once. */
export function pauseBefore(times: number): number {
  const pause = Math.min(longestPause, 25 * 2 ** Math.min(times, 10));
  return Math.round(pause * (0.8 + 0.2 * Math.random()));
}

/** For one server, or the master that the sentinels name. `isLasting`: it reconnects by itself, for ever. */
export function singleOptions(settings: RedisSettings, isLasting: boolean): NodeOptions {
  const { sentinel, endpoints } = settings;
  const retry = isLasting ? pauseBefore : null;
  const common: NodeOptions = {
    ...nodeOptions(settings),
    db: settings.db,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: retry,
    // After a failover the old master is a replica; whoever still talks to it must ask anew.
    reconnectOnError: (error) => error.message.includes('READONLY'),
  };
  if (sentinel === null) {
    const [first] = endpoints;
    return { ...common, ...first };
  }
  return {
    ...common,
    sentinels: endpoints.map(({ host, port }) => ({ host, port })),
    name: sentinel.masterName,
    role: 'master',
    ...(sentinel.username === null ? {} : { sentinelUsername: sentinel.username }),
    ...(sentinel.password === null ? {} : { sentinelPassword: sentinel.password }),
    sentinelCommandTimeout: connectTimeout,
    sentinelRetryStrategy: retry ?? (() => null),
    sentinelReconnectStrategy: pauseBefore,
    failoverDetector: isLasting,
    updateSentinels: true,
    ...(settings.tls === null
      ? {}
      : { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(settings.tls) }),
  };
}

export function clusterOptions(
  settings: RedisSettings,
): ClusterOptions & { readonly redisOptions: NodeOptions } {
  return {
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    clusterRetryStrategy: pauseBefore,
    slotsRefreshTimeout: connectTimeout,
    slotsRefreshInterval: 5000,
    retryDelayOnFailover: 100,
    // Certificates are made out to names: what a node is called must reach the TLS client unresolved.
    dnsLookup: (address, callback) => callback(null, address),
    redisOptions: nodeOptions(settings),
  };
}

function nodeOptions({ username, password, tls }: RedisSettings): NodeOptions {
  return {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null ? {} : { tls: tlsOptions(tls) }),
    // Everything used here is in RESP2, which proxies and old servers speak, too.
    protocol: 2,
    replyMapping: 'legacy',
    disableClientInfo: true,
    connectTimeout,
    socketTimeout: stallTimeout,
    disconnectTimeout: 100,
    keepAlive: 10_000,
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
  };
}

export function tlsOptions(tls: NonNullable<RedisSettings['tls']>): NonNullable<RedisOptions['tls']> {
  return {
    ...(tls.ca.length === 0 ? {} : { ca: [...tls.ca] }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    rejectUnauthorized: !tls.insecureSkipVerify,
  };
}
