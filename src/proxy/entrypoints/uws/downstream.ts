// The client's side of an Exchange on uWebSockets.js: heads, bodies and back-pressure.

import type { HttpResponse } from 'uWebSockets.js';
import type { Downstream } from '../../downstream.ts';
import type { HeaderList } from '../../headers.ts';
import { statusLine } from '../../status.ts';
import type { UwsBody } from './body.ts';

const beyondAscii = /[^\x00-\x7f]/;

export interface DrainState {
  /** Asked when an answer's head leaves: its connection must not be kept alive then. */
  isDraining(): boolean;
}

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
  #held: Uint8Array | null = null;
  #heldOffset = 0;
  #finishWanted = false;

  constructor(res: HttpResponse, host: DrainState, engineCloses: boolean) {
    this.#res = res;
    this.#host = host;
    this.#engineCloses = engineCloses;
    res.onAborted(() => this.#abortedByClient());
  }

  respond(status: number, headers: HeaderList, body: string | Uint8Array, bodyless: boolean): void {
    if (this.aborted) return;
    this.#finished = true;
    const close = this.#closes();
    this.#corked(() => {
      this.#writeHead(status, headers);
      // RFC 9112 §9.6: who closes says so. The engine does, unless the client has asked for it.
      if (this.#engineCloses) this.#res.writeHeader('connection', 'close');
      if (bodyless) this.#endBodyless(reportedLength(headers, status), close);
      else this.#res.end(body, close);
    });
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    if (this.aborted) return;
    if (this.#closes()) this.mustClose = true;
    this.#total = length ?? -1;
    this.#corked(() => {
      this.#writeHead(status, headers);
      // At the end of a streamed answer it is too late for the engine to say it, and to close: told to, it
      // writes the header line into the body.
      if (this.mustClose || this.#engineCloses) this.#res.writeHeader('connection', 'close');
    });
  }

  write(chunk: Uint8Array): boolean {
    // To the engine an empty chunk is the end of the answer.
    if (chunk.length === 0 || this.aborted || this.#finished) return true;
    let more = true;
    this.#corked(() => {
      more = this.#total === -1 ? this.#writeChunk(chunk) : this.#writeSized(chunk);
    });
    return more;
  }

  finish(): void {
    if (this.aborted || this.#finished) return;
    if (this.#held !== null) {
      this.#finishWanted = true;
      return;
    }
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

  #writeHead(status: number, headers: HeaderList): void {
    const res = this.#res;
    res.writeStatus(statusLine(status));
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      // The engine writes both.
      if (name === 'content-length' || name === 'date') continue;
      const value = headers[i + 1] as string;
      // Strings go out as UTF-8; a latin1 one must leave as the bytes it came in as.
      res.writeHeader(name, beyondAscii.test(value) ? Buffer.from(value, 'latin1') : value);
    }
  }

  #writeChunk(chunk: Uint8Array): boolean {
    if (this.#res.write(chunk)) return true;
    this.#res.onWritable(() => {
      this.onDrain?.();
      return true;
    });
    return false;
  }

  #writeSized(chunk: Uint8Array): boolean {
    const offset = this.#res.getWriteOffset();
    const [ok, done] = this.#res.tryEnd(chunk, this.#total);
    if (done) this.#finished = true;
    if (ok || done) return true;
    // The chunk is a view of memory the next read overwrites.
    this.#held = Buffer.from(chunk);
    this.#heldOffset = offset;
    this.#res.onWritable((at) => this.#writeHeld(at));
    return false;
  }

  #writeHeld(at: number): boolean {
    if (this.#held === null) return true;
    const rest = this.#held.subarray(at - this.#heldOffset);
    const [ok, done] = rest.length === 0 ? [true, false] : this.#res.tryEnd(rest, this.#total);
    if (done) this.#finished = true;
    if (!ok && !done) {
      this.#held = rest;
      this.#heldOffset = at;
      return false;
    }
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
