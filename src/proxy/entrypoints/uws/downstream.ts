// The client's side of an Exchange on uWebSockets.js: heads, bodies and back-pressure.

import type { HttpResponse } from 'uWebSockets.js';
import type { Downstream } from '../../downstream.ts';
import type { HeaderList } from '../../headers.ts';
import type { DrainState } from '../listener.ts';
import type { UwsBody } from './body.ts';
import { writeHead } from './head.ts';

/** Bytes of a whole answer that may wait unread like a head: to hold an answer open costs 0.4 µs of CPU time. */
const leastOpen = 512;

export class UwsDownstream implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;
  /** Still inside the callback that announced the request. */
  inCallback = true;
  body: UwsBody | null = null;
  /** This connection must not carry another request. */
  mustClose = false;

  readonly #res: HttpResponse;
  readonly #host: DrainState;
  /** The engine closes after this answer, without saying so. */
  readonly #engineCloses: boolean;
  #finished = false;
  // A streamed answer: its Content-Length, or -1 for chunked.
  #total = -1;
  /** Its head, until it is written. */
  #headStatus = 0;
  #headers: HeaderList | null = null;
  #held: Uint8Array | null = null;
  /** Body bytes the engine has taken, of an answer with a Content-Length. */
  #sent = 0;
  #finishWanted = false;
  /** The last chunk waits in the engine. */
  #isFull = false;

  constructor(res: HttpResponse, host: DrainState, engineCloses: boolean) {
    this.#res = res;
    this.#host = host;
    this.#engineCloses = engineCloses;
    res.onAborted(() => this.#abortedByClient());
  }

  respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    if (this.aborted) return;
    const close = this.#closes();
    this.#corked(() => {
      this.body?.answered();
      // That it closes the engine says itself, unless the client has asked for it.
      writeHead(this.#res, status, headers, this.#engineCloses);
      if (!bodyless && !close && body.length >= leastOpen) {
        this.#endWhole(typeof body === 'string' ? Buffer.from(body) : body);
        return;
      }
      this.#finished = true;
      if (bodyless) this.#endBodyless(reportedLength(headers, status), close);
      else this.#res.end(body, close);
    });
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    if (this.aborted) return;
    if (this.#closes()) this.mustClose = true;
    this.#total = length ?? -1;
    this.#headStatus = status;
    this.#headers = headers;
    // A body's first bytes mostly follow at once, and leave in one write with the head.
    queueMicrotask(() => this.#sendHead());
  }

  write(chunk: Uint8Array): boolean {
    // To the engine an empty chunk is the end of the answer.
    if (chunk.length === 0 || this.aborted || this.#finished) return true;
    let more = true;
    this.#corked(() => {
      this.#writeHead();
      more = this.#total === -1 ? this.#writeChunk(chunk) : this.#writeSized(chunk);
    });
    return more;
  }

  finish(): void {
    if (this.aborted || this.#finished) return;
    // Whoever reads nothing must not get to the next request: one answer would wait in memory beside the other.
    if (this.#held !== null || this.#isFull) {
      this.#finishWanted = true;
      return;
    }
    this.#sendHead();
    this.#finished = true;
    if (this.#total !== -1) return;
    this.#corked(() => this.#res.end());
  }

  get finished(): boolean {
    return this.#finished || this.aborted;
  }

  abort(): void {
    if (this.aborted || this.#finished) return;
    this.#finished = true;
    this.#res.close();
  }

  /** Unlike `end` it leaves the answer open until the client has taken it: the next request waits for that. */
  #endWhole(body: Uint8Array): void {
    this.#total = body.length;
    this.#writeSized(body);
    this.#finishWanted = this.#held !== null;
  }

  #endBodyless(length: number | undefined, close: boolean): void {
    // Without a number the engine says no Content-Length; to close it wants one.
    if (length === undefined && !close) this.#res.endWithoutBody();
    else this.#res.endWithoutBody(length ?? 0, close);
  }

  #closes(): boolean {
    return this.mustClose || this.#isUnread() || this.#host.isDraining();
  }

  #isUnread(): boolean {
    // What follows a body that was not read to its end would be taken for a request; and answering inside
    // the callback makes the engine run what follows at once, before anything could be said against it.
    return this.body !== null && (this.inCallback || !this.body.complete);
  }

  #sendHead(): void {
    if (this.#headers === null || this.aborted || this.#finished) return;
    this.#corked(() => this.#writeHead());
  }

  /** Only once, and only within `cork`. */
  #writeHead(): void {
    const headers = this.#headers;
    if (headers === null) return;
    this.#headers = null;
    this.body?.answered();
    // At the end of a streamed answer it is too late for the engine to say it, and to close: told to, it
    // writes the header line into the body.
    writeHead(this.#res, this.#headStatus, headers, this.mustClose || this.#engineCloses);
  }

  #writeChunk(chunk: Uint8Array): boolean {
    if (this.#res.write(chunk)) return true;
    this.#isFull = true;
    this.#res.onWritable(() => {
      this.#isFull = false;
      if (this.#finishWanted) this.finish();
      else this.onDrain?.();
      return true;
    });
    return false;
  }

  #writeSized(chunk: Uint8Array): boolean {
    // A filter that held the beginning back may not have heard that the client does not read.
    if (this.#held !== null) {
      this.#held = Buffer.concat([this.#held, chunk]);
      return false;
    }
    const [ok, done] = this.#res.tryEnd(chunk, this.#total);
    if (done) this.#finished = true;
    if (ok || done) {
      this.#sent += chunk.length;
      return true;
    }
    const at = this.#res.getWriteOffset();
    // The chunk is a view of memory the next read overwrites.
    this.#held = Buffer.from(chunk.subarray(at - this.#sent));
    this.#sent = at;
    this.#res.onWritable((offset) => this.#writeHeld(offset));
    return false;
  }

  #writeHeld(at: number): boolean {
    if (this.#held === null) return true;
    const rest = this.#held.subarray(at - this.#sent);
    const [ok, done] = rest.length === 0 ? [true, false] : this.#res.tryEnd(rest, this.#total);
    if (done) this.#finished = true;
    if (!ok && !done) {
      this.#held = rest;
      this.#sent = at;
      return false;
    }
    this.#sent = at + rest.length;
    this.#held = null;
    if (this.#finishWanted) this.finish();
    else this.onDrain?.();
    return true;
  }

  #corked(write: () => void): void {
    if (this.inCallback) write();
    else this.#res.cork(write);
  }

  #abortedByClient(): void {
    if (this.aborted) return;
    this.aborted = true;
    this.#held = null;
    this.body?.abort();
    this.onAbort?.();
  }
}

/** What a bodyless answer says its body would be; undefined says nothing. */
function reportedLength(headers: HeaderList, status: number): number | undefined {
  if (status === 204 || status < 200) return undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'content-length') return Number(headers[i + 1]);
  }
  return undefined;
}
