// The TLS side of uWebSockets.js: what accepts connections stays, what they are served with is replaced.

import type { ListenerHost, ListenerPlan } from '../listener.ts';
import { TlsGeneration, type UwsApp } from './generation.ts';
import { uws } from './load.ts';
import type { UwsRequests } from './requests.ts';

/** Replaced generations whose connections go on; those of the oldest are cut when there are more. */
const maxRetired = 32;
/** Milliseconds between two replacements, between two looks at the retired, and before one is let go. */
const pace = 1000;
/** Milliseconds before a full generation is replaced: clients decide when one is full, and each leaves some memory. */
const fullPace = 60_000;

interface Retired {
  readonly generation: TlsGeneration;
  readonly since: number;
  isClosed: boolean;
}

export class TlsListener {
  /** Takes connections and hands them on; it answers none. */
  readonly acceptor = uws.SSLApp({}) as UwsApp;
  readonly #requests: UwsRequests;
  readonly #host: ListenerHost;
  #plan: ListenerPlan;
  #current: TlsGeneration;
  readonly #openedAt = performance.now();
  /** `performance.now()` of the last replacement. */
  #since = Number.NEGATIVE_INFINITY;
  #retired: Retired[] = [];
  #later: NodeJS.Timeout | null = null;
  #laterAt = 0;
  #sweep: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(plan: ListenerPlan, requests: UwsRequests, host: ListenerHost) {
    this.#plan = plan;
    this.#requests = requests;
    this.#host = host;
    this.#current = this.#generation();
    this.acceptor.addChildAppDescriptor(this.#current.app.getDescriptor());
  }

  /** At once, or at the end of a second that has already had a replacement. */
  update(plan: ListenerPlan): void {
    this.#plan = plan;
    if (this.#isClosed || this.#current.follow(plan)) return;
    if (this.#later === null && performance.now() >= this.#since + pace) this.#replace();
    else this.#replaceAt(this.#since + pace);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#later !== null) clearTimeout(this.#later);
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.acceptor.close();
    this.#current.close();
    for (const { generation, isClosed } of this.#retired) if (!isClosed) generation.close();
  }

  #generation(): TlsGeneration {
    return new TlsGeneration(this.#plan, this.#requests, {
      full: () => this.#replaceAt(Math.max(this.#since, this.#openedAt) + fullPace),
      refused: () => this.#host.warn?.('the default certificate cannot be used on this engine'),
      unusable: (name) =>
        this.#host.warn?.(`the certificate for ${name.slice(0, 253)} cannot be used on this engine`),
    });
  }

  /** The sooner of what was said; never within the call: the engine may be in the middle of a handshake. */
  #replaceAt(when: number): void {
    if (this.#isClosed || (this.#later !== null && when >= this.#laterAt)) return;
    if (this.#later !== null) clearTimeout(this.#later);
    this.#laterAt = when;
    this.#later = setTimeout(() => this.#replace(), Math.max(when - performance.now(), 0)).unref();
  }

  #replace(): void {
    this.#later = null;
    this.#since = performance.now();
    const old = this.#current;
    this.#current = this.#generation();
    this.acceptor.addChildAppDescriptor(this.#current.app.getDescriptor());
    this.acceptor.removeChildAppDescriptor(old.app.getDescriptor());
    this.#retired.push({ generation: old, since: this.#since, isClosed: false });
    this.#sweep ??= setInterval(() => this.#letGo(), pace).unref();
  }

  /** A connection accepted just before the replacement may arrive after it: nothing is closed in its first second. */
  #letGo(): void {
    const now = performance.now();
    this.#retired = this.#retired.filter((one, index, all) => {
      if (one.isClosed) {
        one.generation.dispose();
        return false;
      }
      const isSurplus = index < all.length - maxRetired;
      if (isSurplus || (one.generation.connections === 0 && now - one.since >= pace)) {
        one.generation.close();
        one.isClosed = true;
      }
      return true;
    });
    if (this.#retired.length > 0 || this.#sweep === null) return;
    clearInterval(this.#sweep);
    this.#sweep = null;
  }
}
