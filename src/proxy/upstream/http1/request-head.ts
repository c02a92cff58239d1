// A request's head as one latin1 string. Where its body ends is said here and nowhere else.

import { GatewayError } from '../../errors.ts';
import type { HeaderList } from '../../headers.ts';
import { isOfConnection } from '../hop-by-hop.ts';
import { isAll, isTarget, isText, tokenLower } from './grammar.ts';

export interface HeadParts {
  readonly method: string;
  readonly path: string;
  readonly headers: HeaderList;
  /** Content-Length, -1 for chunked, null for no body. */
  readonly length: number | null;
}

/**
 * Request line and fields, without the empty line at the end. Framing and hop-by-hop fields among `headers`
 * are left out: those of this connection follow from the body and the pool.
 * Throws `intake.bad_request` for what would not arrive as it was meant.
 */
export function serialiseHead({ method, path, headers, length }: HeadParts): string {
  if (method === '' || !isAll(method, tokenLower)) throw new GatewayError('intake.bad_request', 'method');
  // Its answer is no answer but a tunnel, which a kept connection must never become.
  if (method === 'CONNECT') throw new GatewayError('intake.bad_request', 'CONNECT');
  if (path === '' || !isAll(path, isTarget)) throw new GatewayError('intake.bad_request', 'target');
  let head = `${method} ${path} HTTP/1.1\r\n`;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (isOfConnection(name)) continue;
    const value = headers[i + 1] as string;
    if (name === '' || !isAll(name, tokenLower)) throw new GatewayError('intake.bad_request', 'header name');
    if (!isAll(value, isText)) throw new GatewayError('intake.bad_request', 'header value');
    head += `${name}: ${value}\r\n`;
  }
  if (length === -1) return `${head}transfer-encoding: chunked\r\n`;
  if (length !== null) return `${head}content-length: ${length}\r\n`;
  // RFC 9110 §8.6: no body where one is usual is said, not left open.
  if (method === 'POST' || method === 'PUT' || method === 'PATCH') return `${head}content-length: 0\r\n`;
  return head;
}
