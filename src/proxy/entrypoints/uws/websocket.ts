// The client's end of a WebSocket tunnel on uWebSockets.js, message by message.

import type { HttpResponse, us_socket_context_t, WebSocket, WebSocketBehavior } from 'uWebSockets.js';
import type { HeaderList } from '../../headers.ts';
import { maxMessageBytes, tunnelHighWater, tunnelSlack } from '../../limits.ts';
import type { Handshake, TunnelEnd, TunnelEvents } from '../../tunnel.ts';
import type { DrainState } from '../listener.ts';
import { UwsDownstream } from './downstream.ts';
import { uws } from './load.ts';

/** The engine copies these keys onto its socket object, so none may be a method's name. */
export interface ClientSocketData {
  readonly clientEnd: UwsClientEnd;
  readonly tunnelEvents: TunnelEvents;
}

/** The bounds of client sockets. `maxMessage`: bytes. */
export function clientBounds(
  maxMessage: number = maxMessageBytes,
): Pick<WebSocketBehavior<ClientSocketData>, 'maxPayloadLength' | 'maxBackpressure'> {
  return { maxPayloadLength: maxMessage, maxBackpressure: maxMessage + tunnelSlack };
}

/** Behaviour of every client socket; the upgrade handler is the listener's. */
export const clientBehavior: WebSocketBehavior<ClientSocketData> = {
  compression: uws.DISABLED,
  closeOnBackpressureLimit: true,
  // A tunnel may be silent for as long as both ends like.
  idleTimeout: 0,
  sendPingsAutomatically: false,
  open: (ws) => ws.getUserData().clientEnd.opened(ws),
  message: (ws, message, isBinary) => {
    ws.getUserData().tunnelEvents.message(new Uint8Array(message.slice(0)), isBinary);
  },
  ping: (ws, message) => ws.getUserData().tunnelEvents.ping(new Uint8Array(message.slice(0))),
  pong: (ws, message) => ws.getUserData().tunnelEvents.pong(new Uint8Array(message.slice(0))),
  drain: (ws) => ws.getUserData().clientEnd.drained(ws),
  close: (ws, code, message) => {
    const { clientEnd, tunnelEvents } = ws.getUserData();
    const reason = Buffer.from(message).toString('utf8');
    clientEnd.gone();
    // The engine cuts such a client without a word; the server shall know why.
    if (code === 1006 && reason === 'Received too big message') tunnelEvents.closed(1009, '');
    else tunnelEvents.closed(code, reason);
  },
};

export class UwsHandshake extends UwsDownstream implements Handshake {
  readonly protocols: string;
  readonly #response: HttpResponse;
  readonly #context: us_socket_context_t;
  readonly #key: string;

  constructor(
    res: HttpResponse,
    host: DrainState,
    context: us_socket_context_t,
    offer: { key: string; protocols: string },
  ) {
    super(res, host, false);
    this.#response = res;
    this.#context = context;
    this.#key = offer.key;
    this.protocols = offer.protocols;
  }

  accept(headers: HeaderList, protocol: string, events: TunnelEvents): TunnelEnd {
    const end = new UwsClientEnd(events);
    if (this.aborted) {
      queueMicrotask(() => events.closed(1006, ''));
      return end;
    }
    // From here on the socket speaks through its own handlers.
    this.onAbort = null;
    const data: ClientSocketData = { clientEnd: end, tunnelEvents: events };
    if (this.inCallback) this.#writeUpgradeHead(headers);
    else this.#response.cork(() => this.#writeUpgradeHead(headers));
    // Never inside `cork`: when the engine makes a WebSocket of the socket in the same place in memory, its
    // cork goes on to read the HTTP state that is no longer there, and now and then closes the connection.
    // Outside it the engine says on standard error that it would rather be corked.
    this.#response.upgrade(data, this.#key, protocol, '', this.#context);
    return end;
  }

  #writeUpgradeHead(headers: HeaderList): void {
    this.#response.writeStatus('101 Switching Protocols');
    for (let i = 0; i < headers.length; i += 2) {
      this.#response.writeHeader(headers[i] as string, Buffer.from(headers[i + 1] as string, 'latin1'));
    }
  }
}

class UwsClientEnd implements TunnelEnd {
  #ws: WebSocket<ClientSocketData> | null = null;
  #held = false;
  readonly #events: TunnelEvents;

  constructor(events: TunnelEvents) {
    this.#events = events;
  }

  opened(ws: WebSocket<ClientSocketData>): void {
    this.#ws = ws;
  }

  gone(): void {
    this.#ws = null;
  }

  drained(ws: WebSocket<ClientSocketData>): void {
    if (!this.#held || ws.getBufferedAmount() > 0) return;
    this.#held = false;
    this.#events.drained();
  }

  send(data: Uint8Array, isBinary: boolean): boolean {
    if (this.#ws === null) return true;
    this.#ws.send(data, isBinary);
    // Sending past the backlog's bound closes the socket within `send`.
    if (this.#ws === null || this.#ws.getBufferedAmount() < tunnelHighWater) return true;
    this.#held = true;
    return false;
  }

  ping(data: Uint8Array): void {
    this.#ws?.ping(data);
  }

  /** The engine answers a client's pings by itself. */
  pong(): void {}

  close(code: number, reason: string): void {
    if (code === 1006) this.#ws?.close();
    else if (code === 1005) this.#ws?.end();
    else this.#ws?.end(code, reason);
  }

  /** The engine cannot hold a client back: the other end's backlog is bounded instead. */
  pause(): void {}

  resume(): void {}
}
