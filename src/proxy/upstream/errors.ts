// What went wrong with a server, from the words of Node and undici to ours.

import { type ErrorCode, GatewayError } from '../errors.ts';
import type { MarkedError } from './pool.ts';

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

/** For a failure before the answer's head was had. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const { code, message, name } = error as { code?: string; message?: string; name?: string };
  if (name === 'HTTPParserError') return new GatewayError('upstream.malformed', message, error);
  if (code !== undefined) {
    const known = codes[code];
    if (known !== undefined) return new GatewayError(known, code, error);
    if (code.startsWith('HPE_')) return new GatewayError('upstream.malformed', code, error);
    if (certificateCode.test(code)) return new GatewayError('upstream.certificate', code, error);
  }
  if (message === 'bad upgrade') return new GatewayError('upstream.bad_upgrade', '', error);
  // A 100 to a request that did not ask for one: undici gives such a connection up.
  if (message === 'bad response')
    return new GatewayError('upstream.malformed', 'an answer out of turn', error);
  return new GatewayError(resetCode(error as MarkedError, message), code ?? '', error);
}

function resetCode(
  { received = 0, receivedBefore = 0 }: MarkedError,
  message: string | undefined,
): ErrorCode {
  // Cut within the head.
  if (received > receivedBefore)
    return message === 'other side closed' ? 'upstream.malformed' : 'upstream.reset';
  return receivedBefore > 0 ? 'upstream.reset_reused' : 'upstream.reset';
}
