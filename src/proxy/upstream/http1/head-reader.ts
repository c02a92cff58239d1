// The head of the answer out of one read or many, and past the 1xx that come before it.

import { GatewayError } from '../../errors.ts';
import { CutHead } from './cut-head.ts';
import { Head, refused } from './head.ts';
import { incomplete, parseHead } from './head-parser.ts';
import { maxInformational } from './limits.ts';

const shared = new Head();

/** One per connection, used for one answer after the other. */
export class HeadReader {
  /** What was read; all readers share it, so it is to be used at once. */
  readonly head: Head = shared;
  /** Why it was refused. */
  error: GatewayError | null = null;
  readonly #cut = new CutHead();
  #informational = 0;

  /** Some of a head is there, but not its end. */
  get isCut(): boolean {
    return !this.#cut.isEmpty;
  }

  begin(): void {
    this.#informational = 0;
  }

  /** Reads `bytes[0, end)`: the index after the final head, `incomplete`, or `refused`. */
  read(bytes: Buffer, end: number): number {
    let pos = 0;
    for (;;) {
      pos = this.#readOne(bytes, pos, end);
      if (pos === refused) {
        return this.#refuse(
          new GatewayError(shared.isFraming ? 'upstream.bad_framing' : 'upstream.malformed', shared.problem),
        );
      }
      if (pos === incomplete || shared.status >= 200) return pos;
      // Nothing was asked to be switched.
      if (shared.status === 101) return this.#refuse(new GatewayError('upstream.bad_upgrade', '101 unasked'));
      // RFC 9110 §8.6: it has no body. Whoever reads one after a 1xx takes the answer for it.
      if (shared.chunked || shared.contentLength > 0) {
        return this.#refuse(new GatewayError('upstream.bad_framing', 'a 1xx with a body'));
      }
      this.#informational++;
      if (this.#informational > maxInformational) {
        return this.#refuse(
          new GatewayError('upstream.malformed', `more than ${maxInformational} answers 1xx`),
        );
      }
    }
  }

  #readOne(bytes: Buffer, start: number, end: number): number {
    if (!this.#cut.isEmpty) return this.#cut.add(bytes, start, end, shared);
    const pos = parseHead(bytes, start, end, shared);
    if (pos === incomplete) this.#cut.begin(bytes, start, end);
    return pos;
  }

  #refuse(error: GatewayError): number {
    this.error = error;
    return refused;
  }
}
