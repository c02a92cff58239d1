// One health probe: one request to one server, over a connection of its own.

import { Agent, type Dispatcher, interceptors, request } from 'undici';
import type { HealthCheckSpec, ServerSpec, TransportSpec } from '../../model/snapshot.ts';

/** Null: healthy. Otherwise why not, in a few words without anything the server sent but its status. */
export type ProbeResult = string | null;

export interface Prober {
  probe(target: ServerSpec, check: HealthCheckSpec, stop: AbortSignal): Promise<ProbeResult>;
  close(): Promise<void>;
}

/** Bytes of an answer that are read before the connection is cut: nobody looks at them. */
const maxProbeBody = 64 * 1024;
/** As Go's client follows them. */
const maxRedirections = 10;

/** `transport` null: default TLS rules. */
export function createProber(transport: TransportSpec | null): Prober {
  const agent = new Agent({
    allowH2: false,
    // A kept connection would hide that a server no longer accepts new ones.
    pipelining: 0,
    maxResponseSize: maxProbeBody,
    connect: tlsOptions(transport),
  });
  const following = agent.compose(interceptors.redirect({ maxRedirections }));
  return {
    probe: (target, check, stop) => probe(check.followRedirects ? following : agent, target, check, stop),
    close: () => agent.destroy(),
  };
}

/** The address that is asked; null when the path is not one of this server. */
export function probeUrl(target: ServerSpec, check: HealthCheckSpec): URL | null {
  if (/^[a-z][a-z0-9+.-]*:|^\/\/|^\\/i.test(check.path)) return null;
  const base = new URL(target.url.replace(/^h2c:/, 'http:'));
  if (check.scheme !== null) base.protocol = `${check.scheme}:`;
  if (check.port !== null) base.port = String(check.port);
  return new URL(check.path, base);
}

async function probe(
  dispatcher: Dispatcher,
  target: ServerSpec,
  check: HealthCheckSpec,
  stop: AbortSignal,
): Promise<ProbeResult> {
  const url = probeUrl(target, check);
  if (url === null) return 'path is not relative';
  const timeout = AbortSignal.timeout(check.timeout);
  try {
    const answer = await request(url, {
      dispatcher,
      method: check.method as Dispatcher.HttpMethod,
      headers: headersOf(check),
      signal: AbortSignal.any([timeout, stop]),
      headersTimeout: check.timeout,
      bodyTimeout: check.timeout,
    });
    // The verdict is the head's: what the body does is nobody's concern any more.
    answer.body.on('error', () => {}).destroy();
    return accepts(check, answer.statusCode) ? null : `status ${answer.statusCode}`;
  } catch (error) {
    return timeout.aborted ? `no answer within ${check.timeout} ms` : reasonOf(error);
  }
}

function accepts(check: HealthCheckSpec, status: number): boolean {
  return check.status === 0 ? status >= 200 && status < 400 : status === check.status;
}

function headersOf(check: HealthCheckSpec): Record<string, string> {
  const headers: Record<string, string> = { ...check.headers };
  if (check.hostname !== null) headers['host'] = check.hostname;
  return headers;
}

function tlsOptions(transport: TransportSpec | null): NonNullable<Agent.Options['connect']> {
  if (transport === null) return {};
  const [certificate] = transport.certificates;
  return {
    rejectUnauthorized: !transport.insecureSkipVerify,
    ...(transport.serverName === null ? {} : { servername: transport.serverName }),
    ...(transport.rootCAs.length === 0 ? {} : { ca: [...transport.rootCAs] }),
    ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
    ...(transport.dialTimeout === 0 ? {} : { timeout: transport.dialTimeout }),
  };
}

/** Codes such as `ECONNREFUSED` say enough; messages may carry what the server sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return code.slice(0, 80);
}
