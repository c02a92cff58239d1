// One entry point of the static configuration as the workers get it, and the ones nobody wrote.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { EntryPointSpec, RedirectionSpec } from '../../model/entry-point.ts';
import { parseIpSet } from '../../util/ip.ts';
import { entryPoints as entryPointsSchema } from './entry-points.ts';
import type { StaticEntryPoint } from './entry-points.ts';
import { staticError, staticWarning } from './problem.ts';
import { isScheme } from './redirection.ts';
import type { StaticConfig } from './schema.ts';

/** Bytes a request head, or a WebSocket message, may have at most, whatever is written. */
const mostBytes = 16 * 1024 * 1024;
/** Any less would end connections over a line of chat. */
const leastMessage = 1024;

/** `http` on :80 when there is none, `traefik` on :8080 when the API, ping or metrics need it. */
export function implicitEntryPoints(config: StaticConfig): Record<string, StaticEntryPoint> {
  const missing: Record<string, { address: string }> = {};
  const isEmpty = Object.keys(config.entryPoints ?? {}).length === 0;
  if (isEmpty) missing['http'] = { address: ':80' };
  const isPingThere = config.ping?.entryPoint === 'traefik' && !config.ping.manualRouting;
  const prometheus = config.metrics?.prometheus;
  const isMetricsThere = prometheus?.entryPoint === 'traefik' && !prometheus.manualRouting;
  const isNeeded = config.api?.insecure === true || isPingThere || isMetricsThere;
  if (isNeeded && config.entryPoints?.['traefik'] === undefined) missing['traefik'] = { address: ':8080' };
  return entryPointsSchema.parse(missing);
}

/** Null when it is none of ours (UDP); with an address that cannot be read it has port 0. What is wrong is pushed to `diagnostics`. */
export function resolveEntryPoint(
  name: string,
  written: StaticEntryPoint,
  neverAppendsForwardedFor: boolean,
  diagnostics: Diagnostic[],
): EntryPointSpec | null {
  const path = `entryPoints.${name}`;
  const address = parseAddress(written.address);
  if (typeof address === 'string') {
    const isUdp = /\/udp$/i.test(written.address ?? '');
    const hint = isUdp ? `delete the entry point ${name}` : 'write `[host]:port`, for example `:8080`';
    diagnostics.push(staticError(`${path}.address`, address, hint));
    if (isUdp) return null;
  }
  const { http, forwardedHeaders } = written;
  for (const [key, least] of [
    ['maxHeaderBytes', 1],
    ['maxWebSocketMessage', leastMessage],
  ] as const) {
    if (http[key] >= least && http[key] <= mostBytes) continue;
    const message = `\`${key}\` is ${http[key]}, expected ${least} to ${mostBytes}`;
    diagnostics.push(staticError(`${path}.http.${key}`, message));
  }
  checkBodyRate(written, path, diagnostics);
  checkTrusted(written, path, diagnostics);
  return {
    name,
    // Whoever names it names something that is there: its address alone is to be mended.
    ...(typeof address === 'string' ? { host: '', port: 0 } : address),
    engine: chooseEngine(written, path, diagnostics),
    asDefault: written.asDefault,
    forwardedHeaders: {
      insecure: forwardedHeaders.insecure,
      trustedIPs: forwardedHeaders.trustedIPs,
      connection: forwardedHeaders.connection.map((header) => header.toLowerCase()),
      notAppendXForwardedFor: forwardedHeaders.notAppendXForwardedFor || neverAppendsForwardedFor,
    },
    transport: {
      ...written.transport.lifeCycle,
      ...written.transport.respondingTimeouts,
      keepAliveMaxTime: written.transport.keepAliveMaxTime,
      keepAliveMaxRequests: written.transport.keepAliveMaxRequests,
    },
    http: {
      middlewares: http.middlewares,
      tls: tlsOf(http.tls),
      sanitizePath: http.sanitizePath,
      maxHeaderBytes: http.maxHeaderBytes,
      maxWebSocketMessage: http.maxWebSocketMessage,
      underscoreHeadersStrategy: http.underscoreHeadersStrategy,
      encodeQuerySemicolons: http.encodeQuerySemicolons,
      encodedCharacters: encodedCharactersOf(http.encodedCharacters),
      redirection: redirectionOf(written, path, diagnostics),
    },
    ...(written.http2 === undefined ? {} : { http2: written.http2 }),
    accessLogs: written.observability.accessLogs,
    ...(written.observability.metrics ? {} : { metrics: false }),
    ...(written.observability.tracing ? {} : { tracing: false }),
    ...(written.observability.traceVerbosity === 'detailed' ? { traceVerbosity: 'detailed' } : {}),
    ...(written.allowACMEByPass ? { allowAcmeByPass: true } : {}),
  };
}

function tlsOf(tls: StaticEntryPoint['http']['tls']): EntryPointSpec['http']['tls'] {
  if (tls === undefined) return null;
  const domains = (tls.domains ?? []).map(({ main = '', sans }) => ({ main, sans }));
  return {
    options: tls.options ?? null,
    certResolver: tls.certResolver ?? null,
    ...(domains.length === 0 ? {} : { domains }),
  };
}

/** Host and port of `[host]:port[/tcp]`, or what is wrong with it. */
export function parseAddress(address: string | undefined): { host: string; port: number } | string {
  if (address === undefined || address === '') return '`address` is required and missing';
  const shown = JSON.stringify(address.slice(0, 80));
  const [hostPort = '', protocol = 'tcp', ...more] = address.split('/');
  if (protocol.toLowerCase() === 'udp') return `\`address\` is ${shown}: UDP is not supported`;
  if (protocol.toLowerCase() !== 'tcp' || more.length > 0)
    return `\`address\` is ${shown}: unknown protocol after the port`;
  const match = /^(?:\[([0-9a-fA-F:.%\w]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(hostPort);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    return `\`address\` is ${shown}, expected \`[host]:port\` with a port up to 65535`;
  return { host: match[1] ?? match[2] ?? '', port };
}

/** Bytes a second: more would refuse whole classes of honest clients. */
const mostBodyRate = 1024 * 1024;

function checkBodyRate({ transport }: StaticEntryPoint, path: string, diagnostics: Diagnostic[]): void {
  const { minBodyRate } = transport.respondingTimeouts;
  if (minBodyRate >= 0 && minBodyRate <= mostBodyRate) return;
  diagnostics.push(
    staticError(
      `${path}.transport.respondingTimeouts.minBodyRate`,
      `\`minBodyRate\` is ${minBodyRate}, expected 0 to ${mostBodyRate} bytes a second`,
    ),
  );
}

function checkTrusted({ forwardedHeaders }: StaticEntryPoint, path: string, diagnostics: Diagnostic[]): void {
  try {
    parseIpSet(forwardedHeaders.trustedIPs);
  } catch (error) {
    diagnostics.push(
      staticError(
        `${path}.forwardedHeaders.trustedIPs`,
        `\`trustedIPs\`: ${error instanceof Error ? error.message : 'unreadable'}`,
      ),
    );
  }
}

const defaultIdleTimeout = 180_000;

/** `auto` is the node engine where something is written that the fast one cannot do; else its routers decide. */
function chooseEngine(
  written: StaticEntryPoint,
  path: string,
  diagnostics: Diagnostic[],
): EntryPointSpec['engine'] {
  if (written.engine === 'node') return 'node';
  const beyond = beyondUws(written);
  if (written.engine === 'auto') {
    if (beyond.length === 0) return 'auto';
    const names = beyond.map(([name]) => `\`${name}\``).join(', ');
    diagnostics.push({
      severity: 'info',
      code: 'config.engine',
      message: `entry point ${path.slice(path.indexOf('.') + 1)} is served by the node engine, which ${names} needs`,
      where: { ...staticWarning(`${path}.${beyond[0]?.[0] ?? 'engine'}`, '').where },
      hint: 'it costs several times the CPU time of the uws engine; write `engine: uws` to do without',
    });
    return 'node';
  }
  for (const [name, instead] of beyond) {
    const message = `\`${name.replace(/^transport\./, '')}\` has no effect on the uws engine, ${instead}`;
    diagnostics.push(staticWarning(`${path}.${name}`, message, 'write `engine: node`, or leave it out'));
  }
  return 'uws';
}

const idleEnd = 'which ends idle connections after `readHeaderTimeout`';
const noCount = 'which does not tell connections apart';

/** Keys with a value that the uws engine cannot heed, and what it does. */
function beyondUws({ transport, http2 }: StaticEntryPoint): (readonly [string, string])[] {
  const beyond: (readonly [string, string])[] = [];
  if (transport.keepAliveMaxTime !== 0) beyond.push(['transport.keepAliveMaxTime', noCount]);
  if (transport.keepAliveMaxRequests !== 0) beyond.push(['transport.keepAliveMaxRequests', noCount]);
  if (transport.respondingTimeouts.idleTimeout !== defaultIdleTimeout)
    beyond.push(['transport.respondingTimeouts.idleTimeout', idleEnd]);
  if (http2 !== undefined) beyond.push(['http2', 'which speaks HTTP/1.1 alone']);
  return beyond;
}

function encodedCharactersOf(
  written: StaticEntryPoint['http']['encodedCharacters'],
): EntryPointSpec['http']['encodedCharacters'] {
  return {
    slash: written.allowEncodedSlash,
    backSlash: written.allowEncodedBackSlash,
    nullCharacter: written.allowEncodedNullCharacter,
    semicolon: written.allowEncodedSemicolon,
    percent: written.allowEncodedPercent,
    questionMark: written.allowEncodedQuestionMark,
    hash: written.allowEncodedHash,
  };
}

function redirectionOf(
  written: StaticEntryPoint,
  path: string,
  diagnostics: Diagnostic[],
): RedirectionSpec | null {
  const redirection = written.http.redirections?.entryPoint;
  if (redirection === undefined) return null;
  const at = `${path}.http.redirections.entryPoint`;
  if (redirection.to === undefined || redirection.to === '') {
    diagnostics.push(
      staticError(
        `${at}.to`,
        '`to` is required and missing',
        'name the entry point requests are redirected to',
      ),
    );
    return null;
  }
  if (!isScheme(redirection.scheme)) {
    const shown = JSON.stringify(redirection.scheme.slice(0, 80));
    const message = `\`scheme\` is ${shown}, expected a scheme such as https`;
    diagnostics.push(staticError(`${at}.scheme`, message));
    return null;
  }
  return {
    to: redirection.to,
    scheme: redirection.scheme,
    permanent: redirection.permanent,
    priority: redirection.priority,
  };
}
