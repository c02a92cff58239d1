// What went wrong with a server, from the words of Node to ours.

import { type ErrorCode, GatewayError } from '../errors.ts';

const codes: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'upstream.connect_refused',
  EHOSTUNREACH: 'upstream.connect_refused',
  ENETUNREACH: 'upstream.connect_refused',
  ENOTFOUND: 'upstream.connect_refused',
  EAI_AGAIN: 'upstream.connect_refused',
  ENOENT: 'upstream.connect_refused',
  ETIMEDOUT: 'upstream.connect_timeout',
};

const certificateCode = /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT|HOSTNAME_MISMATCH)/;

/** For a failure before the answer's head was had. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const { code } = error as { code?: string };
  if (code !== undefined) {
    const known = codes[code];
    if (known !== undefined) return new GatewayError(known, code, error);
    // What the parser of tunnels' handshakes does not take for HTTP.
    if (code.startsWith('HPE_')) return new GatewayError('upstream.malformed', code, error);
    if (certificateCode.test(code)) return new GatewayError('upstream.certificate', code, error);
  }
  return new GatewayError('upstream.reset', code ?? '', error);
}
