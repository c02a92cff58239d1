// Who is at the other end. Asking the kernel costs a call per request; behind a load balancer there is one
// answer to all of them.

import type { HttpResponse } from 'uWebSockets.js';
import { formatAddress } from '../peer.ts';

export class Peers {
  /** The address of every connection there has been; empty before the first. */
  #only = '';
  /** There have been two: from then on each request is asked for. */
  #isMixed = false;
  #lastBytes: Uint8Array = new Uint8Array(0);
  #last = '';

  /** For each connection as it opens, before its first request. */
  opened(res: HttpResponse): void {
    if (this.#isMixed) return;
    const address = formatAddress(new Uint8Array(res.getRemoteAddress()));
    if (this.#only === '') this.#only = address;
    // One that is gone already has no address, and may still have sent a request.
    if (address === '' || address !== this.#only) this.#isMixed = true;
  }

  /** In text form; empty when the connection is gone. */
  of(res: HttpResponse): string {
    return this.#isMixed || this.#only === '' ? this.#ask(res) : this.#only;
  }

  /** Neighbouring requests mostly come from one address: its text is made once. */
  #ask(res: HttpResponse): string {
    const bytes = new Uint8Array(res.getRemoteAddress());
    const last = this.#lastBytes;
    let isSame = bytes.length === last.length;
    for (let i = 0; i < bytes.length && isSame; i++) isSame = bytes[i] === last[i];
    if (isSame) return this.#last;
    this.#lastBytes = bytes;
    this.#last = formatAddress(bytes);
    return this.#last;
  }
}
