// An entry point's read and write timeouts and its least rate of bodies, looked after once a second for all
// Exchanges together: a timer for each would cost every request for the few that are slow.

import type { EntryPointSpec } from '../../model/entry-point.ts';
import { GatewayError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { fail } from '../pipeline.ts';
import { isGrpc } from '../upstream/http2/request-fields.ts';

/** Milliseconds between two looks: how late a timeout may come. */
const lookEvery = 1000;
/** Milliseconds a body may take to come up to its least rate. */
const grace = 10_000;
/** Milliseconds of silence that bytes beyond the least rate can earn: else a burst would pay for hours. */
const maxCredit = 60_000;

/** The client's side of a request, of whichever engine. */
export interface Timed {
  readonly finished: boolean;
  readonly body: TimedBody | null;
  /** Set as long as somebody serves the request. */
  readonly onAbort: (() => void) | null;
  abort(): void;
}

export interface TimedBody {
  readonly complete: boolean;
  readonly received: number;
  /** Held back by us: silence is not the client's fault then. */
  readonly isPaused: boolean;
  /** `performance.now()`. */
  readonly lastByteAt: number;
  /** Called at each look as long as the body is on its way and in time. */
  stillComing(): void;
  abort(): void;
}

interface Watched {
  readonly downstream: Timed;
  readonly x: Exchange;
  readonly since: number;
  /** Null: the client may take its time. */
  readonly rate: Rate | null;
}

/** Milliseconds the client may yet be silent, and what it had sent at the last look. */
interface Rate {
  credit: number;
  received: number;
  at: number;
}

/** What it holds is bounded by the requests of one second and those still running. */
export class Stopwatch {
  readonly #readTimeout: number;
  readonly #writeTimeout: number;
  /** Bytes a millisecond. */
  readonly #minRate: number;
  #watched: Watched[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(transport: EntryPointSpec['transport']) {
    this.#readTimeout = transport.readTimeout;
    this.#writeTimeout = transport.writeTimeout;
    this.#minRate = (transport.minBodyRate ?? 0) / 1000;
    this.#timer = setInterval(() => this.#look(), lookEvery).unref();
  }

  /** Before `x` is served. */
  watch(downstream: Timed, x: Exchange): void {
    const { body } = downstream;
    if (body === null && this.#writeTimeout === 0) return;
    const since = performance.now();
    const rate =
      body === null || this.#minRate === 0 || isConversation(x)
        ? null
        : { credit: grace, received: 0, at: since };
    this.#watched.push({ downstream, x, since, rate });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.#watched = this.#watched.filter((watched) => {
      const { downstream, since } = watched;
      if (downstream.finished) return false;
      if (this.#writeTimeout > 0 && now - since > this.#writeTimeout) {
        downstream.abort();
        return false;
      }
      if (!this.#isLate(watched, now)) return true;
      giveUp(watched);
      return false;
    });
  }

  #isLate({ downstream: { body, onAbort }, x, rate }: Watched, now: number): boolean {
    if (body === null || body.complete) return false;
    const isOurs = body.isPaused;
    // The timeout is for silence, not for the whole body: a long upload that moves is no attack.
    if (this.#readTimeout > 0 && !isOurs && now - body.lastByteAt > this.#readTimeout) return true;
    if (rate !== null) {
      // Not before its turn has come, nor once it is answered: what follows is between client and server.
      const isFree = isOurs || x.headSent || onAbort === null;
      const spent = isFree ? 0 : now - rate.at;
      const earned = (body.received - rate.received) / this.#minRate;
      rate.credit = Math.min(rate.credit - spent + earned, maxCredit);
      rate.received = body.received;
      rate.at = now;
      if (rate.credit < 0) return true;
    }
    if (!isOurs) body.stillComing();
    return false;
  }
}

/** A stream of messages is as slow as what it tells of. */
function isConversation(x: Exchange): boolean {
  return x.protocol === 'HTTP/2.0' && isGrpc(x.headers);
}

/** Answers 408 where nothing was said yet, and lets go of whoever waits for the rest. */
function giveUp({ downstream, x }: Watched): void {
  if (downstream.onAbort === null || x.ended) {
    downstream.abort();
    return;
  }
  const { running } = x;
  fail(x, new GatewayError('client.slow'));
  running?.cancel();
  downstream.body?.abort();
}
