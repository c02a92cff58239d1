// A request of the gateway's own to a service, beside the Exchange it is made for: error pages, mirrors. The
// client sees nothing of it; its answer comes back whole.

import type { BodySink, RequestBody } from './body.ts';
import type { Downstream } from './downstream.ts';
import { Exchange } from './exchange.ts';
import type { HeaderList } from './headers.ts';
import { failWithBug } from './pipeline.ts';
import { end } from './respond.ts';
import type { Service } from './services/service.ts';

export interface SideRequest {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly authority: string;
  /** Become the side Exchange's own. */
  readonly headers: HeaderList;
  readonly body: Uint8Array | null;
}

export interface SideAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

export interface SideCall {
  /** Null: none came, not whole, or it was longer than the bound. Never rejects. */
  readonly answer: Promise<SideAnswer | null>;
  cancel(): void;
}

/** Asks `service` on behalf of `x`, past every middleware. Answers over `maxBytes` are cut off. */
export function askBeside(x: Exchange, service: Service, request: SideRequest, maxBytes: number): SideCall {
  const collector = new Collector(maxBytes);
  const cancel = begin(x, service, request, { downstream: collector, ended: () => {} });
  collector.cancel = cancel;
  return { answer: collector.answer, cancel };
}

/** Sends `request` to `service` on behalf of `x`, which may be over; the answer is dropped. Calls `done` once. */
export function sendBeside(
  x: Exchange,
  service: Service,
  request: SideRequest,
  done: () => void,
): { cancel(): void } {
  return { cancel: begin(x, service, request, { downstream: new Sink(), ended: done }) };
}

interface Side {
  readonly downstream: Downstream;
  readonly ended: () => void;
}

/** What calls it off. */
function begin(x: Exchange, service: Service, request: SideRequest, { downstream, ended }: Side): () => void {
  const side = new Exchange({
    entryPoint: { ...x.entryPoint, keepsOriginHeaders: false, ended },
    downstream,
    method: request.method,
    scheme: x.scheme,
    authority: request.authority,
    host: x.host,
    path: request.path,
    routePath: request.path,
    search: request.search,
    headers: request.headers,
    peer: x.peer,
    trusted: x.trusted,
    isUpgrade: false,
    body: request.body === null ? null : new WholeBody(request.body),
    startedAt: performance.now(),
  });
  const cancel = (): void => {
    const { running } = side;
    downstream.abort();
    end(side);
    running?.cancel();
  };
  try {
    service.handle(side);
  } catch (error) {
    failWithBug(side, error);
  }
  return cancel;
}

/** Takes an answer nobody looks at, at the server's own pace. */
class Sink implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;

  respond(): void {}

  begin(): void {}

  write(): boolean {
    return true;
  }

  finish(): void {}

  abort(): void {
    this.aborted = true;
  }
}

class Collector implements Downstream {
  readonly answer: Promise<SideAnswer | null>;
  cancel: () => void = () => {};
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;
  readonly #maxBytes: number;
  #status = 0;
  #headers: HeaderList = [];
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #settle!: (answer: SideAnswer | null) => void;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.answer = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  respond(status: number, headers: HeaderList, body: string | Uint8Array): void {
    // The bytes may be a view of memory that is used again.
    const bytes = Buffer.from(body as Uint8Array);
    this.#settle(bytes.length > this.#maxBytes ? null : { status, headers, body: bytes });
  }

  begin(status: number, headers: HeaderList): void {
    this.#status = status;
    this.#headers = headers;
  }

  write(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) this.cancel();
    else this.#chunks.push(Buffer.from(chunk));
    return true;
  }

  finish(): void {
    this.#settle({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) });
  }

  abort(): void {
    this.aborted = true;
    this.#chunks = [];
    this.#settle(null);
  }
}

/** Bytes at hand as a request's body. */
class WholeBody implements RequestBody {
  readonly length: number;
  readonly received: number;
  readonly collected: Uint8Array;
  readonly isPiped = false;

  constructor(bytes: Uint8Array) {
    this.collected = bytes;
    this.length = bytes.length;
    this.received = bytes.length;
  }

  pipe(sink: BodySink): void {
    if (this.length > 0) sink.data(this.collected);
    sink.end();
  }

  resume(): void {}

  collect(): Promise<Uint8Array | null> {
    return Promise.resolve(this.collected);
  }

  discard(): void {}
}
