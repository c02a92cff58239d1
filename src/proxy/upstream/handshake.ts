// The gateway's own handshake with a WebSocket server, and what can be wrong with it.

import type { ClientRequest, ClientRequestArgs } from 'node:http';
import type { Socket } from 'node:net';
import WebSocket, { type ClientOptions } from 'ws';
import { GatewayError } from '../errors.ts';
import type { HeaderList } from '../headers.ts';
import { toGatewayError } from './errors.ts';
import { maxInformational } from './http1/limits.ts';

/** The subprotocols of a `Sec-WebSocket-Protocol` header. */
export function offered(protocols: string): string[] {
  return protocols
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');
}

/** Throws `GatewayError` for a handshake no server could answer. */
export function connect(
  url: string,
  protocols: string[],
  options: ClientOptions | ClientRequestArgs,
): WebSocket {
  try {
    return new WebSocket(url, protocols, options);
  } catch (error) {
    // The client's: doubled or malformed subprotocols, or a target that is no URL.
    throw new GatewayError('intake.bad_request', 'malformed WebSocket handshake', error);
  }
}

/** Milliseconds until the connection must stand; the server's answer may take longer. */
export function limitDial(request: ClientRequest, timeout: number): void {
  if (timeout === 0) return;
  const timer = setTimeout(() => {
    request.destroy(new GatewayError('upstream.connect_timeout', `${timeout} ms`));
  }, timeout);
  const settled = (): void => clearTimeout(timer);
  request.once('close', settled);
  request.once('error', settled);
  request.once('socket', (socket: Socket) => socket.once('connect', settled));
}

/**
 * Ends a handshake whose server says 1xx without end, or does not come to its answer within `timeout` milliseconds
 * (0: none). A timeout of the library's would begin anew with every byte.
 */
export function limitAnswer(request: ClientRequest, timeout: number): void {
  let informational = 0;
  request.on('information', () => {
    informational++;
    if (informational <= maxInformational) return;
    request.destroy(new GatewayError('upstream.malformed', `more than ${maxInformational} answers 1xx`));
  });
  if (timeout === 0) return;
  const late = (): void => void request.destroy(new GatewayError('upstream.headers_timeout'));
  const timer = setTimeout(late, timeout);
  const settled = (): void => clearTimeout(timer);
  for (const event of ['upgrade', 'response', 'close', 'error']) request.once(event, settled);
}

/** The library's complaints about an answer have no code. */
export function handshakeError(error: Error): GatewayError {
  if (error instanceof GatewayError || 'code' in error) return toGatewayError(error);
  return new GatewayError('upstream.bad_upgrade', error.message, error);
}

/** Node's form; the handshake's own headers are the client library's. */
export function toHeaderMap(headers: HeaderList): Record<string, string[]> {
  // Without a prototype: a header may be named `constructor`.
  const map = Object.create(null) as Record<string, string[]>;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.startsWith('sec-websocket-')) continue;
    map[name] ??= [];
    map[name].push(headers[i + 1] as string);
  }
  return map;
}
