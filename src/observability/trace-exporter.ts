// The exporters of OpenTelemetry, loaded when the first spans leave: without traces nobody pays for them.

import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { CollectorSettings, CollectorTls } from '../model/tracing.ts';
import { readText } from '../util/read-text.ts';

/** Milliseconds one batch may take, attempts included. */
const exportTimeout = 10_000;

/** Rejects when certificate files cannot be read. */
export async function loadExporter(settings: CollectorSettings): Promise<SpanExporter> {
  return settings.protocol === 'http' ? loadHttp(settings) : loadGrpc(settings);
}

async function loadHttp({ url, headers, tls }: CollectorSettings): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  return new OTLPTraceExporter({
    url,
    headers: { ...headers },
    timeoutMillis: exportTimeout,
    httpAgentOptions: { keepAlive: true, maxSockets: 2, ...(tls === null ? {} : agentTls(tls)) },
  });
}

async function loadGrpc({ url, headers, tls }: CollectorSettings): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
  const { credentials, Metadata } = await import('@grpc/grpc-js');
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const { ca = null, cert = null, key = null, rejectUnauthorized = true } = tls === null ? {} : agentTls(tls);
  const secure = url.startsWith('http://')
    ? credentials.createInsecure()
    : credentials.createSsl(ca, key, cert, { rejectUnauthorized });
  return new OTLPTraceExporter({ url, metadata, credentials: secure, timeoutMillis: exportTimeout });
}

interface AgentTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly rejectUnauthorized?: boolean;
}

function agentTls(tls: CollectorTls): AgentTls {
  return {
    ...(tls.ca === '' ? {} : { ca: pemOf(tls.ca, 'ca') }),
    ...(tls.cert === '' ? {} : { cert: pemOf(tls.cert, 'cert') }),
    ...(tls.key === '' ? {} : { key: pemOf(tls.key, 'key') }),
    rejectUnauthorized: !tls.insecureSkipVerify,
  };
}

function pemOf(written: string, part: string): Buffer {
  if (written.includes('-----BEGIN')) return Buffer.from(written);
  try {
    return Buffer.from(readText(written));
  } catch {
    // Not with the file's content or name: what stands in `key` may be a broken key.
    throw new Error(`tracing: tls.${part} is neither PEM nor a readable file`);
  }
}
