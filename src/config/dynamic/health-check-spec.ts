// healthCheck and passiveHealthCheck of a load balancer → their specs.

import type { HealthCheckSpec, PassiveHealthCheckSpec } from '../../model/snapshot.ts';
import type { LoadBalancerConfig } from './schema.ts';
import type { Warn } from './sticky-spec.ts';

/** Milliseconds: beyond that a timer fires at once. */
const longestTimer = 2 ** 31 - 1;

export function healthCheck(balancer: LoadBalancerConfig, warn: Warn): HealthCheckSpec | null {
  const check = balancer.healthCheck;
  if (check === undefined) return null;
  const positive = (key: string, value: number, byDefault: number) => {
    if (value > 0) return Math.min(value, longestTimer);
    warn('config.health_check', `healthCheck.${key} must be above 0: ${byDefault / 1000}s is used`);
    return byDefault;
  };
  if (/^[a-z]+:\/\//i.test(check.path))
    warn('config.health_check', 'healthCheck.path is a URL, expected a path that begins with /');
  const interval = positive('interval', check.interval, 30_000);
  return {
    ...(check.mode === 'grpc' ? { mode: check.mode } : {}),
    path: check.path.startsWith('/') ? check.path : `/${check.path}`,
    scheme: check.scheme ?? null,
    port: check.port ?? null,
    hostname: check.hostname ?? null,
    method: check.method.toUpperCase(),
    status: check.status,
    interval,
    unhealthyInterval:
      check.unhealthyInterval === undefined
        ? interval
        : positive('unhealthyInterval', check.unhealthyInterval, interval),
    timeout: positive('timeout', check.timeout, 5000),
    followRedirects: check.followRedirects,
    headers: check.headers,
    rise: Math.max(1, check.rise),
    fall: Math.max(1, check.fall),
    initial: check.initial,
  };
}

export function passiveHealthCheck(balancer: LoadBalancerConfig, warn: Warn): PassiveHealthCheckSpec | null {
  const check = balancer.passiveHealthCheck;
  if (check === undefined) return null;
  const { failureWindow, maxFailedAttempts } = check;
  if (failureWindow <= 0)
    warn('config.health_check', 'passiveHealthCheck.failureWindow must be above 0: 10s is used');
  if (maxFailedAttempts < 1)
    warn('config.health_check', 'passiveHealthCheck.maxFailedAttempts must be 1 or more: 1 is used');
  return {
    failureWindow: failureWindow > 0 ? Math.min(failureWindow, longestTimer) : 10_000,
    maxFailedAttempts: Math.max(1, maxFailedAttempts),
  };
}
