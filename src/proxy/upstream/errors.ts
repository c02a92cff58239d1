// What went wrong with a server, from the words of Node and undici to ours.

import { type ErrorCode, GatewayError } from '../errors.ts';
import type { ReusedError } from './pool.ts';

const codes: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'upstream.connect_refused',
  EHOSTUNREACH: 'upstream.connect_refused',
  ENETUNREACH: 'upstream.connect_refused',
  ENOTFOUND: 'upstream.connect_refused',
  EAI_AGAIN: 'upstream.connect_refused',
  ENOENT: 'upstream.connect_refused',
  UND_ERR_CONNECT_TIMEOUT: 'upstream.connect_timeout',
  ETIMEDOUT: 'upstream.connect_timeout',
  UND_ERR_HEADERS_TIMEOUT: 'upstream.headers_timeout',
  UND_ERR_HEADERS_OVERFLOW: 'upstream.malformed',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'upstream.malformed',
  UND_ERR_INVALID_ARG: 'intake.bad_request',
  UND_ERR_NOT_SUPPORTED: 'intake.bad_request',
};

const certificateCode = /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT|HOSTNAME_MISMATCH)/;

/** Before a byte of the answer's head was had. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const { code, message } = error as { code?: string; message?: string };
  if (code !== undefined) {
    const known = codes[code];
    if (known !== undefined) return new GatewayError(known, code, error);
    if (code.startsWith('HPE_')) return new GatewayError('upstream.malformed', code, error);
    if (certificateCode.test(code)) return new GatewayError('upstream.certificate', code, error);
  }
  if (message === 'bad upgrade') return new GatewayError('upstream.bad_upgrade', '', error);
  const wasReused = receivedBefore(error) > 0;
  return new GatewayError(wasReused ? 'upstream.reset_reused' : 'upstream.reset', code ?? '', error);
}

function receivedBefore(error: unknown): number {
  const marked = error as ReusedError & { socket?: { bytesRead?: number } | null };
  return marked.receivedBefore ?? marked.socket?.bytesRead ?? 0;
}
