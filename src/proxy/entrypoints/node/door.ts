// What both protocols of the node engine know of the entry point they serve.

import type { EntryPoint } from '../entry-point.ts';
import type { ListenerHost } from '../listener.ts';
import type { Secured } from './secured.ts';

export interface Door {
  readonly entryPoint: EntryPoint;
  readonly host: ListenerHost;
  /**
   * Whether a request for `host` came in on a connection that was made for another one, under other rules
   * (RFC 9110 §7.4), or before these: what one host asks of its clients must not be left out by naming it later, or
   * by having come earlier.
   */
  isMisdirected(host: string, secured: Secured): boolean;
}
