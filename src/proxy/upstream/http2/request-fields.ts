// A request's head as the list of fields that HTTP/2 sends.

import { GatewayError } from '../../errors.ts';
import type { HeaderList } from '../../headers.ts';
import { isOfConnection } from '../hop-by-hop.ts';
import { isAll, isTarget, isText, tokenLower } from '../http1/grammar.ts';
import { maxFieldBytes, maxRequestHeaderBytes } from './limits.ts';

export interface FieldParts {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly path: string;
  /** `host` first: it becomes `:authority`. */
  readonly headers: HeaderList;
  /** Content-Length, -1 when only the end will tell, null for no body. */
  readonly length: number | null;
}

/**
 * Flat name, value, the pseudo-header fields first. Connection-specific fields among `headers` are left out
 * (RFC 9113 §8.2.2). Throws `intake.bad_request` for what would not arrive as it was meant, or could cost all
 * calls their connection.
 */
export function requestFields({ method, scheme, path, headers, length }: FieldParts): string[] {
  if (method === '' || !isAll(method, tokenLower)) throw new GatewayError('intake.bad_request', 'method');
  // Its answer is no answer but a tunnel.
  if (method === 'CONNECT') throw new GatewayError('intake.bad_request', 'CONNECT');
  if (path === '' || path.length > maxFieldBytes || !isAll(path, isTarget)) {
    throw new GatewayError('intake.bad_request', 'target');
  }
  const fields = [':method', method, ':scheme', scheme, ':authority', '', ':path', path];
  let bytes = path.length;
  // RFC 9110 §10.1.4: gRPC servers want to hear that trailers are understood.
  let takesTrailers = isGrpc(headers);
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (name === '' || !isAll(name, tokenLower)) throw new GatewayError('intake.bad_request', 'header name');
    if (!isAll(value, isText)) throw new GatewayError('intake.bad_request', 'header value');
    if (name.length + value.length > maxFieldBytes)
      throw new GatewayError('intake.bad_request', 'field too long for HTTP/2');
    bytes += name.length + value.length + fieldOverhead;
    if (name === 'host') fields[5] = value;
    else if (name === 'te') takesTrailers ||= value === 'trailers';
    else if (name !== 'http2-settings' && !isOfConnection(name)) fields.push(name, trimmed(value));
  }
  if (bytes > maxRequestHeaderBytes)
    throw new GatewayError('intake.bad_request', 'header too long for HTTP/2');
  // RFC 9113 §8.3.1: nothing in place of an authority is no authority.
  if (fields[5] === '') fields.splice(4, 2);
  addLength(fields, method, length);
  if (takesTrailers) fields.push('te', 'trailers');
  return fields;
}

/** Whether the request is one of gRPC, which needs HTTP/2; gRPC-Web does not. */
export function isGrpc(headers: HeaderList): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'content-type') continue;
    const value = headers[i + 1] as string;
    return value.startsWith('application/grpc') && value.charCodeAt(16) !== hyphen;
  }
  return false;
}

/** What a field counts for in a header list besides its bytes (RFC 9113 §6.5.2). */
export const fieldOverhead = 32;

const hyphen = 45;

/** RFC 9113 §8.2.1: a value neither begins nor ends with a blank. */
function trimmed(value: string): string {
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  const isBare = first !== 32 && first !== 9 && last !== 32 && last !== 9;
  return isBare ? value : value.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '');
}

function addLength(fields: string[], method: string, length: number | null): void {
  if (length === -1) return;
  if (length !== null) fields.push('content-length', String(length));
  // RFC 9110 §8.6: no body where one is usual is said, not left open.
  else if (method === 'POST' || method === 'PUT' || method === 'PATCH') fields.push('content-length', '0');
}
