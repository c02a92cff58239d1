// The fields of an answer, and of its trailers, as HTTP/2 brought them.

import { GatewayError } from '../../errors.ts';
import type { HeaderList } from '../../headers.ts';
import { maxResponseHeaderBytes } from '../../limits.ts';
import { hopByHop } from '../hop-by-hop.ts';
import { isAll, isText, tokenLower } from '../http1/grammar.ts';
import { maxTrailerBytes } from './limits.ts';

export interface AnswerFields {
  /** Lower-case names, latin1 values, without hop-by-hop fields. */
  readonly headers: HeaderList;
  /** Content-Length, -1 when not said. */
  readonly length: number;
}

/**
 * `raw` is flat name, value, pseudo-header fields among it. Throws `upstream.malformed` and
 * `upstream.bad_framing`. The library has refused most of this before; what it lets through in some version
 * must not become a line of its own in front of an HTTP/1.1 client.
 */
export function readAnswerFields(raw: readonly string[]): AnswerFields {
  const headers: HeaderList = [];
  let length = -1;
  let bytes = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name.charCodeAt(0) === colon) continue;
    check(name, value);
    bytes += name.length + value.length + 4;
    if (name === 'content-length') {
      if (length !== -1) throw new GatewayError('upstream.bad_framing', 'Content-Length twice');
      length = readLength(value);
    }
    if (!hopByHop.has(name)) headers.push(name, value);
  }
  if (bytes > maxResponseHeaderBytes) throw new GatewayError('upstream.malformed', 'header section too long');
  return { headers, length };
}

/** Null when nothing of it may be passed on. Throws `upstream.malformed`. */
export function readTrailers(raw: readonly string[]): HeaderList | null {
  const trailers: HeaderList = [];
  let bytes = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name.charCodeAt(0) === colon)
      throw new GatewayError('upstream.malformed', 'pseudo-header in trailers');
    check(name, value);
    bytes += name.length + value.length + 4;
    if (!hopByHop.has(name) && !notInTrailers.has(name)) trailers.push(name, value);
  }
  if (bytes > maxTrailerBytes) throw new GatewayError('upstream.malformed', 'trailers too long');
  return trailers.length === 0 ? null : trailers;
}

const colon = 58;

// RFC 9110 §6.5.1: what says how to read the message came too late, and must not be merged into the head.
const notInTrailers: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'host',
  'location',
  'set-cookie',
]);

function check(name: string, value: string): void {
  if (name === '' || !isAll(name, tokenLower)) throw new GatewayError('upstream.malformed', 'header name');
  if (!isAll(value, isText)) throw new GatewayError('upstream.malformed', 'header value');
}

function readLength(digits: string): number {
  const length = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(length)) throw new GatewayError('upstream.bad_framing', 'Content-Length');
  return length;
}
