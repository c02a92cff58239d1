// Fields of an answer that say something to us: where its body ends, and what becomes of the connection.

import { connection, contentLength, type FieldName, keepAlive, transferEncoding } from './field-names.ts';
import { nominatedNames, withoutNames } from '../hop-by-hop.ts';
import { type Head, refuse } from './head.ts';
import { maxLengthDigits } from './limits.ts';

/** The names it nominates, if any. */
export function readSpecial(field: FieldName, value: string, head: Head): string {
  switch (field.action) {
    case contentLength:
      if (head.contentLength !== -1) refuse(head, 'Content-Length twice', true);
      head.contentLength = readLength(value, head);
      return '';
    case transferEncoding:
      if (head.chunked) refuse(head, 'Transfer-Encoding twice', true);
      if (value.length !== 7 || value.toLowerCase() !== 'chunked') {
        refuse(head, 'Transfer-Encoding that is not chunked alone', true);
      }
      head.chunked = true;
      return '';
    case keepAlive:
      head.keepAlive = readKeepAlive(value);
      return '';
    case connection:
      return readConnection(value.toLowerCase(), head);
    default:
      // NTLM and Negotiate vouch for a connection, not for a request: it must not serve another client.
      if (/^(?:ntlm|negotiate)\b/i.test(value)) head.close = true;
      return '';
  }
}

function readLength(digits: string, head: Head): number {
  let length = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) length = Number.NaN;
    length = length * 10 + digit;
  }
  if (digits.length > 0 && digits.length <= maxLengthDigits && length <= Number.MAX_SAFE_INTEGER)
    return length;
  refuse(head, 'Content-Length', true);
  return 0;
}

function readKeepAlive(value: string): number {
  const seconds = /(?:^|[,\s])timeout\s*=\s*"?(\d{1,9})/i.exec(value)?.[1];
  return seconds === undefined ? -1 : Number(seconds);
}

function readConnection(value: string, head: Head): string {
  if (value === 'keep-alive') return '';
  if (value === 'close') {
    head.close = true;
    return '';
  }
  return `,${value}`;
}

/** Drops what `Connection` nominated, and heeds a `close` among it. */
export function dropNominated(head: Head, nominated: string): void {
  const names = nominatedNames(nominated);
  if (names.has('close')) head.close = true;
  // Where the body ends is no matter of one hop's taste.
  names.delete('content-length');
  head.headers = withoutNames(head.headers, names);
}
