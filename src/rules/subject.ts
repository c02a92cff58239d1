// What a rule may look at in a request, and what reading a rule can come to.

export interface RuleSubject {
  /** Lower case, without port, brackets and final dot; empty when the request has none. */
  readonly host: string;
  /** Normalised, all but reserved escapes decoded. */
  readonly routePath: string;
  readonly method: string;
  /** Flat list: lower-case name, value, name, value …; values are latin1, one char a byte. */
  readonly headers: readonly string[];
  /** A WebSocket handshake, whose `Upgrade` and `Connection` intake has taken out of `headers`. */
  readonly isUpgrade?: boolean;
  /** `?a=b`, or empty. */
  readonly search: string;
  /** IP address of the TCP peer, text form. */
  readonly peer: string;
}

export interface RuleError {
  readonly message: string;
  /** Where in the rule text, in UTF-16 units from 0. */
  readonly offset: number;
  /** What to write instead. */
  readonly hint?: string;
}

export type RuleMatch = (subject: RuleSubject) => boolean;
