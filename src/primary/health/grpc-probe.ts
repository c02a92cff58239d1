// One gRPC health probe (grpc.health.v1.Health/Check): one call, over an HTTP/2 connection of its own.

import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { HealthCheckSpec, TransportSpec } from '../../model/snapshot.ts';
import { clientTlsOptions } from '../../tls/client-options.ts';
import type { ProbeResult } from './probe.ts';

/** An empty HealthCheckRequest, uncompressed: it asks for the server as a whole. */
const question = Buffer.alloc(5);
/** Bytes of an answer that are read; a HealthCheckResponse has two behind its prefix. */
const maxAnswer = 1024;
const serving = 1;

export interface GrpcProbe {
  readonly url: URL;
  readonly check: HealthCheckSpec;
  readonly transport: TransportSpec | null;
  readonly stop: AbortSignal;
}

/** Rejects with Node's error when there is no answer. */
export async function probeGrpc({ url, check, transport, stop }: GrpcProbe): Promise<ProbeResult> {
  const session = connect(url.origin, transport === null ? {} : clientTlsOptions(transport));
  const abort = (): void => session.destroy();
  stop.addEventListener('abort', abort, { once: true });
  try {
    return await ask(session, url, check);
  } finally {
    stop.removeEventListener('abort', abort);
    session.destroy();
  }
}

async function ask(session: ClientHttp2Session, url: URL, check: HealthCheckSpec): Promise<ProbeResult> {
  const failed = new Promise<never>((_, reject) => {
    session.once('error', reject);
    session.once('close', () => reject(new Error('the connection was closed')));
  });
  // Also when nobody waits for it any more.
  failed.catch(() => {});
  const stream = session.request({
    ...check.headers,
    ':method': 'POST',
    ':authority': check.hostname ?? url.host,
    ':path': '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.end(question);
  return Promise.race([read(stream), failed]);
}

function read(stream: ClientHttp2Stream): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    let status = 0;
    // In the head of an answer that has nothing else, in the trailers of others.
    let grpcStatus: string | undefined;
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
      grpcStatus = headers['grpc-status']?.toString();
    });
    stream.on('trailers', (trailers) => {
      grpcStatus ??= trailers['grpc-status']?.toString();
    });
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxAnswer) chunks.push(chunk);
      else stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.on('error', reject);
    stream.on('close', () => resolve(verdict(status, grpcStatus, Buffer.concat(chunks))));
  });
}

function verdict(status: number, grpcStatus: string | undefined, body: Buffer): ProbeResult {
  if (status !== 200) return `status ${status}`;
  if (grpcStatus !== '0') return `grpc-status ${(grpcStatus ?? 'missing').slice(0, 20)}`;
  const state = servingStatus(body);
  return state === serving ? null : `serving status ${state}`;
}

/** Field 1 of the HealthCheckResponse; 0 (unknown) when it is not there. */
function servingStatus(body: Buffer): number {
  if (body.length < 7 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) return 0;
  // Tag 0x08: field 1, varint. The states are numbers below 128: one byte.
  return body[5] === 0x08 ? (body[6] as number) : 0;
}
