// The head of an answer, read where it lies: one pass over its bytes, one decode, slices of that.

import { contentLength, authenticate, drop, findName, hashByte } from './field-names.ts';
import { colon, cr, isText, lf, space, tab, tokenLower } from './grammar.ts';
import { type Head, refuse, refused } from './head.ts';
import { maxHeaderLines } from './limits.ts';
import { dropNominated, readSpecial } from './special-fields.ts';

/** More bytes are needed. */
export const incomplete = -1;

/** Reads the head that begins at `start`; the index after it, `incomplete` or `refused`. */
export function parseHead(bytes: Buffer, start: number, end: number, head: Head): number {
  head.problem = '';
  head.isFraming = false;
  const afterStatus = scanStatusLine(bytes, start, end, head);
  if (afterStatus < 0) return afterStatus;
  const after = scanLines(bytes, afterStatus, end, head);
  if (after < 0) return after;
  head.headers = [];
  head.contentLength = -1;
  head.chunked = false;
  head.keepAlive = -1;
  head.close = bytes[start + 7] === 48;
  readLines(bytes, afterStatus, after, head);
  // RFC 9112 §6.1: HTTP/1.0 has no chunks, so who says both is not to be trusted with either.
  if (head.chunked && bytes[start + 7] === 48) refuse(head, 'Transfer-Encoding in HTTP/1.0', true);
  if (head.chunked && head.contentLength !== -1) {
    refuse(head, 'both Content-Length and Transfer-Encoding', true);
  }
  return head.problem === '' ? after : refused;
}

const version = Buffer.from('HTTP/1.');

function scanStatusLine(bytes: Buffer, start: number, end: number, head: Head): number {
  for (let i = 0; i < 7; i++) {
    if (start + i >= end) return incomplete;
    if (bytes[start + i] !== version[i]) return refuse(head, 'no HTTP/1 answer');
  }
  let pos = start + 7;
  if (pos >= end) return incomplete;
  if (bytes[pos] !== 48 && bytes[pos] !== 49) return refuse(head, 'version');
  pos++;
  if (pos >= end) return incomplete;
  if (bytes[pos] !== space) return refuse(head, 'status line');
  pos++;
  let status = 0;
  for (const last = pos + 3; pos < last; pos++) {
    if (pos >= end) return incomplete;
    const digit = (bytes[pos] as number) - 48;
    if (digit < 0 || digit > 9) return refuse(head, 'status');
    status = status * 10 + digit;
  }
  if (status < 100) return refuse(head, 'status');
  head.status = status;
  if (pos >= end) return incomplete;
  if (bytes[pos] !== space && bytes[pos] !== cr) return refuse(head, 'status line');
  while (pos < end && isText[bytes[pos] as number] === 1) pos++;
  return scanLineEnd(bytes, pos, end, head);
}

/** Name start, name end, value start, value end of each line; and its hash. Filled anew by every parse. */
const spans = new Int32Array(maxHeaderLines * 5);
let lines = 0;

function scanLines(bytes: Buffer, start: number, end: number, head: Head): number {
  let pos = start;
  lines = 0;
  for (;;) {
    if (pos >= end) return incomplete;
    if (bytes[pos] === cr) return scanLineEnd(bytes, pos, end, head);
    if (lines === maxHeaderLines) return refuse(head, `more than ${maxHeaderLines} header lines`);
    const span = lines * 5;
    const nameStart = pos;
    let hash = 0;
    let lower = 0;
    for (; pos < end; pos++) {
      lower = tokenLower[bytes[pos] as number] as number;
      if (lower === 0) break;
      hash = hashByte(hash, lower);
    }
    if (pos >= end) return incomplete;
    if (bytes[pos] !== colon || pos === nameStart) return refuse(head, 'header name');
    spans[span] = nameStart;
    spans[span + 1] = pos;
    spans[span + 4] = hash;
    pos++;
    while (pos < end && isBlank(bytes[pos] as number)) pos++;
    const valueStart = pos;
    while (pos < end && isText[bytes[pos] as number] === 1) pos++;
    let valueEnd = pos;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1] as number)) valueEnd--;
    spans[span + 2] = valueStart;
    spans[span + 3] = valueEnd;
    pos = scanLineEnd(bytes, pos, end, head);
    if (pos < 0) return pos;
    lines++;
  }
}

function scanLineEnd(bytes: Buffer, pos: number, end: number, head: Head): number {
  if (pos >= end) return incomplete;
  if (bytes[pos] !== cr) return refuse(head, 'control character in the head');
  if (pos + 1 >= end) return incomplete;
  return bytes[pos + 1] === lf ? pos + 2 : refuse(head, 'CR without LF in the head');
}

function isBlank(byte: number): boolean {
  return byte === space || byte === tab;
}

function readLines(bytes: Buffer, start: number, end: number, head: Head): void {
  const block = bytes.toString('latin1', start, end);
  const { headers } = head;
  let nominated = '';
  for (let span = 0; span < lines * 5; span += 5) {
    const nameStart = spans[span] as number;
    const nameEnd = spans[span + 1] as number;
    const field = findName(bytes, nameStart, nameEnd, spans[span + 4] as number);
    if (field !== null && field.action === drop) continue;
    const valueStart = spans[span + 2] as number;
    const valueEnd = spans[span + 3] as number;
    const value = block.slice(valueStart - start, valueEnd - start);
    if (field === null) {
      headers.push(block.slice(nameStart - start, nameEnd - start).toLowerCase(), value);
      continue;
    }
    if (field.action !== 0) nominated += readSpecial(field, value, head);
    if (field.action <= contentLength || field.action === authenticate) headers.push(field.name, value);
  }
  if (nominated !== '') dropNominated(head, nominated);
}
