// The two ends of a WebSocket tunnel, engine-neutral: a listener gives the client's, an upstream the server's.

import type { Downstream } from './downstream.ts';
import type { HeaderList } from './headers.ts';

/** One end, as its owner drives it. */
export interface TunnelEnd {
  /** False: hold back until the other side's `onDrain`. The bytes belong to the end from here on. */
  send(data: Uint8Array, isBinary: boolean): boolean;
  ping(data: Uint8Array): void;
  pong(data: Uint8Array): void;
  /** A close frame; code 1005 sends one without a code, 1006 cuts the connection. */
  close(code: number, reason: string): void;
  /** Asks this end to stop or go on delivering, as far as its engine can. */
  pause(): void;
  resume(): void;
}

/** What an end tells the other about. */
export interface TunnelEvents {
  message(data: Uint8Array, isBinary: boolean): void;
  ping(data: Uint8Array): void;
  pong(data: Uint8Array): void;
  closed(code: number, reason: string): void;
  /** This end takes bytes again. */
  drained(): void;
}

/** A client's handshake: answered like any request, or accepted. */
export interface Handshake extends Downstream {
  /** Offered subprotocols, as the client wrote them; empty for none. */
  readonly protocols: string;
  /** Switches protocols; `events` hears from the client from then on. */
  accept(headers: HeaderList, protocol: string, events: TunnelEvents): TunnelEnd;
}
