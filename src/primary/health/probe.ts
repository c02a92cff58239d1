// One health probe: one request to one server, over a connection of its own.

import { Agent, type Dispatcher, H2CClient, interceptors, request } from 'undici';
import type { HealthCheckSpec, ServerSpec, TransportSpec } from '../../model/snapshot.ts';
import { clientTlsOptions } from '../../tls/client-options.ts';
import { probeGrpc } from './grpc-probe.ts';

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
    connect: connectOptions(transport),
  });
  const following = agent.compose(interceptors.redirect({ maxRedirections }));
  const askHttp = async (target: ServerSpec, url: URL, check: HealthCheckSpec, signal: AbortSignal) => {
    if (!speaksH2c(target, check)) {
      return await probeHttp(check.followRedirects ? following : agent, url, check, signal);
    }
    // HTTP/2 connections are kept whatever one says: each probe gets a client of its own.
    const own = new H2CClient(url.origin, { maxResponseSize: maxProbeBody });
    try {
      return await probeHttp(own, url, check, signal);
    } finally {
      await own.destroy();
    }
  };
  return {
    probe(target, check, stop) {
      const url = probeUrl(target, check);
      if (url === null) return Promise.resolve('path is not relative');
      return within(check, stop, (signal) =>
        check.mode === 'grpc'
          ? probeGrpc({ url, check, transport, stop: signal })
          : askHttp(target, url, check, signal),
      );
    },
    close: () => agent.destroy(),
  };
}

/** A server by prior knowledge may speak nothing else, unless the check names another scheme. */
function speaksH2c(target: ServerSpec, check: HealthCheckSpec): boolean {
  return target.url.startsWith('h2c:') && check.scheme === null;
}

/** The address that is asked; null when the path is not one of this server. */
export function probeUrl(target: ServerSpec, check: HealthCheckSpec): URL | null {
  if (/^[a-z][a-z0-9+.-]*:|^\/\/|^\\/i.test(check.path)) return null;
  const base = new URL(target.url.replace(/^h2c:/, 'http:'));
  if (check.scheme !== null) base.protocol = `${check.scheme}:`;
  if (check.port !== null) base.port = String(check.port);
  if (!URL.canParse(check.path, base.href)) return null;
  // Parsers of URLs leave tabs and line breaks out and take `\` for `/`: what counts is where it leads.
  const url = new URL(check.path, base);
  return url.host === base.host && url.protocol === base.protocol ? url : null;
}

/** Ends `ask` when its time is up, or when nobody wants to know any more. */
async function within(
  check: HealthCheckSpec,
  stop: AbortSignal,
  ask: (signal: AbortSignal) => Promise<ProbeResult>,
): Promise<ProbeResult> {
  const timeout = AbortSignal.timeout(check.timeout);
  const late = `no answer within ${check.timeout} ms`;
  try {
    const result = await ask(AbortSignal.any([timeout, stop]));
    return timeout.aborted && result !== null ? late : result;
  } catch (error) {
    return timeout.aborted ? late : reasonOf(error);
  }
}

async function probeHttp(
  dispatcher: Dispatcher,
  url: URL,
  check: HealthCheckSpec,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const answer = await request(url, {
    dispatcher,
    method: check.method as Dispatcher.HttpMethod,
    headers: headersOf(check),
    signal,
    headersTimeout: check.timeout,
    bodyTimeout: check.timeout,
  });
  // The verdict is the head's: what the body does is nobody's concern any more.
  answer.body.on('error', () => {}).destroy();
  return accepts(check, answer.statusCode) ? null : `status ${answer.statusCode}`;
}

function accepts(check: HealthCheckSpec, status: number): boolean {
  return check.status === 0 ? status >= 200 && status < 400 : status === check.status;
}

function headersOf(check: HealthCheckSpec): Record<string, string> {
  const headers: Record<string, string> = { ...check.headers };
  if (check.hostname !== null) headers['host'] = check.hostname;
  return headers;
}

function connectOptions(transport: TransportSpec | null): NonNullable<Agent.Options['connect']> {
  if (transport === null) return {};
  const { dialTimeout } = transport;
  return { ...clientTlsOptions(transport), ...(dialTimeout === 0 ? {} : { timeout: dialTimeout }) };
}

/** Codes such as `ECONNREFUSED` say enough; messages may carry what the server sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return code.slice(0, 80);
}
