// Trace context in headers: W3C's traceparent and tracestate, and B3 in its two forms. Strangers write these
// headers: all is checked to the letter, and what is not right counts as not there.

import { randomFillSync } from 'node:crypto';
import type { Propagator } from '../model/tracing.ts';

/** What a client says of the trace its request belongs to. */
export interface RemoteContext {
  /** 32 hexadecimal digits, lower case; empty when there is a decision but no trace. */
  readonly traceId: string;
  /** 16 of them. */
  readonly spanId: string;
  /** Null: the client leaves it open. */
  readonly sampled: boolean | null;
  /** Value of tracestate, or empty. */
  readonly state: string;
}

/** Longest tracestate that is passed on, in characters (W3C Trace Context §3.3.1.5 asks for 512). */
const maxState = 512;
/** Longest traceparent that is looked at: later versions may append fields. */
const maxParent = 128;

/** Every header that carries trace context; lower case. */
export const contextNames: ReadonlySet<string> = new Set([
  'traceparent',
  'tracestate',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
]);

/** The context that the first of `propagators` finds; null for none. `headers` is flat, names in lower case. */
export function readContext(
  headers: readonly string[],
  propagators: readonly Propagator[],
): RemoteContext | null {
  for (let i = 0; i < propagators.length; i++) {
    const found = readers[propagators[i] as Propagator](headers);
    if (found !== null) return found;
  }
  return null;
}

/** Puts the context in place of whatever trace context `headers` held. */
export function writeContext(
  headers: string[],
  context: { readonly traceId: string; readonly spanId: string; readonly state: string },
  propagators: readonly Propagator[],
): void {
  removeContext(headers);
  const { traceId, spanId, state } = context;
  for (const propagator of propagators) {
    if (propagator === 'tracecontext') {
      headers.push('traceparent', `00-${traceId}-${spanId}-01`);
      if (state !== '') headers.push('tracestate', state);
    } else if (propagator === 'b3') headers.push('b3', `${traceId}-${spanId}-1`);
    else headers.push('x-b3-traceid', traceId, 'x-b3-spanid', spanId, 'x-b3-sampled', '1');
  }
}

/** Tells servers that this request is not traced, so that they do not begin a trace in its midst. */
export function writeUnsampled(headers: string[], propagators: readonly Propagator[]): void {
  removeContext(headers);
  for (let i = 0; i < propagators.length; i++) {
    if (propagators[i] === 'b3') headers.push('b3', '0');
    else if (propagators[i] === 'b3multi') headers.push('x-b3-sampled', '0');
    else headers.push('traceparent', `00-${newTraceId()}-${newSpanId()}-00`);
  }
}

/** 32 hexadecimal digits. */
export function newTraceId(): string {
  return digits(16);
}

/** 16 hexadecimal digits. */
export function newSpanId(): string {
  return digits(8);
}

const pool = Buffer.alloc(4096);
let used = pool.length;

function digits(bytes: number): string {
  for (;;) {
    if (used + bytes > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const text = pool.toString('hex', used, (used += bytes));
    if (!isZero(text)) return text;
  }
}

function removeContext(headers: string[]): void {
  let to = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (contextNames.has(headers[i] as string)) continue;
    if (to !== i) {
      headers[to] = headers[i] as string;
      headers[to + 1] = headers[i + 1] as string;
    }
    to += 2;
  }
  headers.length = to;
}

type Reader = (headers: readonly string[]) => RemoteContext | null;

const readers: Readonly<Record<Propagator, Reader>> = {
  tracecontext: readW3c,
  b3: readB3,
  b3multi: readB3Multi,
};

/** W3C Trace Context §3.2.2: `00-<trace>-<parent>-<flags>`; later versions may have more behind. */
function readW3c(headers: readonly string[]): RemoteContext | null {
  const value = only(headers, 'traceparent');
  if (value === null || !isParent(value)) return null;
  // Of a request that is not traced nobody asks for the ids: nothing is made for it.
  if (!isOdd(value.charCodeAt(54))) return declined;
  const traceId = value.slice(3, 35);
  return { traceId, spanId: value.slice(36, 52), sampled: true, state: readState(headers) };
}

const declined: RemoteContext = { traceId: '', spanId: '', sampled: false, state: '' };

function isParent(value: string): boolean {
  if (value.length < 55 || value.length > maxParent) return false;
  if (value.charCodeAt(2) !== 45 || value.charCodeAt(35) !== 45 || value.charCodeAt(52) !== 45) return false;
  if (!isHex(value, 0, 2) || value.startsWith('ff') || !isHex(value, 53, 55)) return false;
  if (value.length > 55 && (value.startsWith('00') || value.charCodeAt(55) !== 45)) return false;
  return isId(value, 3, 35) && isId(value, 36, 52);
}

/** Of a hexadecimal digit: `1` is 49, `b` is 98. */
function isOdd(digit: number): boolean {
  return digit < 97 ? (digit & 1) === 1 : (digit & 1) === 0;
}

/** All lines joined; empty when they are too long or hold what does not belong there. */
function readState(headers: readonly string[]): string {
  let state = '';
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'tracestate') continue;
    state += state === '' ? headers[i + 1] : `,${headers[i + 1]}`;
    if (state.length > maxState) return '';
  }
  return /^[\x20-\x7e]*$/.test(state) ? state : '';
}

/** `<trace>-<span>[-<decision>[-<parent>]]`, or a decision alone. */
function readB3(headers: readonly string[]): RemoteContext | null {
  const value = only(headers, 'b3');
  if (value === null || value.length > 70) return null;
  if (value.length === 1) {
    const sampled = decision(value);
    return sampled === null ? null : { traceId: '', spanId: '', sampled, state: '' };
  }
  const [trace = '', span = '', flag = '', parent = ''] = value.split('-');
  if (parent !== '' && !(parent.length === 16 && isHex(parent))) return null;
  return fromB3(trace, span, decision(flag));
}

function readB3Multi(headers: readonly string[]): RemoteContext | null {
  const flag = only(headers, 'x-b3-flags') === '1' ? 'd' : (only(headers, 'x-b3-sampled') ?? '');
  const trace = only(headers, 'x-b3-traceid');
  const sampled = decision(flag);
  if (trace !== null) return fromB3(trace, only(headers, 'x-b3-spanid') ?? '', sampled);
  return sampled === null ? null : { traceId: '', spanId: '', sampled, state: '' };
}

function fromB3(trace: string, spanId: string, sampled: boolean | null): RemoteContext | null {
  const traceId = trace.length === 16 ? `0000000000000000${trace}` : trace;
  if (traceId.length !== 32 || spanId.length !== 16 || !isId(traceId) || !isId(spanId)) return null;
  return { traceId, spanId, sampled, state: '' };
}

function decision(flag: string): boolean | null {
  if (flag === '1' || flag === 'd' || flag === 'true') return true;
  return flag === '0' || flag === 'false' ? false : null;
}

/** The value of a header that is there once; two of them say two things. */
function only(headers: readonly string[], name: string): string | null {
  let found: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== name) continue;
    if (found !== null) return null;
    found = headers[i + 1] as string;
  }
  return found;
}

function isId(text: string, from = 0, to = text.length): boolean {
  return isHex(text, from, to) && !isZero(text, from, to);
}

function isHex(text: string, from = 0, to = text.length): boolean {
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (!((c >= 48 && c <= 57) || (c >= 97 && c <= 102))) return false;
  }
  return true;
}

function isZero(text: string, from = 0, to = text.length): boolean {
  for (let i = from; i < to; i++) if (text.charCodeAt(i) !== 48) return false;
  return true;
}
