// Why a stream ended without a whole answer.

import { constants } from 'node:http2';
import { GatewayError } from '../../errors.ts';

export interface Loss {
  /** Null: the stream was never opened. */
  readonly stream: number | null;
  /** Of RST_STREAM, whoever sent it. */
  readonly code: number;
  readonly hasHead: boolean;
  /** Streams with a greater identifier were never looked at by the server. */
  readonly lastStream: number;
  /** The connection had answered others before. */
  readonly isReused: boolean;
  /** The connection is lost, not this stream alone. */
  readonly isConnectionLost: boolean;
  readonly cause: Error | null;
}

const { NGHTTP2_PROTOCOL_ERROR, NGHTTP2_REFUSED_STREAM, NGHTTP2_ENHANCE_YOUR_CALM } = constants;

export function nameLoss(loss: Loss): GatewayError {
  const { stream, code, cause } = loss;
  const detail = loss.isConnectionLost ? 'connection lost' : `stream reset with code ${code}`;
  if (loss.hasHead) return new GatewayError('upstream.reset_body', detail, cause);
  // RFC 9113 §8.7: the server says that it has done nothing about the request.
  if (stream === null || stream > loss.lastStream || code === NGHTTP2_REFUSED_STREAM) return refused(detail);
  // What one stream's frames did to the connection: the others had no part in that.
  if (loss.isConnectionLost && loss.isReused) return new GatewayError('upstream.reset_reused', detail, cause);
  if ((cause as NodeJS.ErrnoException | null)?.code === 'ERR_HTTP2_ERROR')
    return new GatewayError('upstream.malformed', 'no HTTP/2', cause);
  if (loss.isConnectionLost) return new GatewayError('upstream.reset', detail, cause);
  // The library answers with these to what it does not accept of an answer's head.
  if (code === NGHTTP2_PROTOCOL_ERROR || code === NGHTTP2_ENHANCE_YOUR_CALM)
    return new GatewayError('upstream.malformed', detail, cause);
  return new GatewayError('upstream.reset', detail, cause);
}

/** The server has not seen the request, or says so: whatever its method, it may be sent once more. */
export function refused(detail: string): GatewayError {
  const error = new GatewayError('upstream.reset_reused', detail);
  error.unsent = true;
  return error;
}
