// A request that somebody could write to be read in two ways, and what each engine must make of it.

/** What becomes of the request itself when it comes alone. */
export interface Outcome {
  readonly kind: Kind;
  /** Statuses it may be refused with. */
  readonly statuses: readonly number[];
  /** The body that reaches the server; null: any. */
  readonly body: string | null;
}

/**
 * `refused`: it never reaches the server whole, and the connection ends. `served`: it reaches it once, and what
 * follows is a request of its own. `last`: the same, and nothing follows. `either`: refused or served.
 * `loose`: anything of these, but nothing follows. `stalled`: neither answered nor passed on whole while the
 * client says no more. `never`: refused or stalled.
 */
export type Kind = 'refused' | 'served' | 'last' | 'either' | 'loose' | 'stalled' | 'never';

export interface HostileCase {
  readonly name: string;
  /** With `@ID@` where the number of the case stands. */
  readonly text: string;
  readonly uws: Outcome;
  readonly node: Outcome;
  /** Sent in two parts, too, cut at each of its bytes. */
  readonly isSplit: boolean;
  /** One of many alike: sent in the two ways that tell most. */
  readonly isSwept: boolean;
}

export type Outcomes = Outcome | { readonly uws: Outcome; readonly node: Outcome };

/** The HTTP/1.1 request of a case; every part of it can be replaced. */
export interface Parts {
  readonly line?: string;
  /** Whole lines. */
  readonly fields?: readonly string[];
  /** `Host: a.test` unless said. */
  readonly host?: string;
  readonly body?: string;
}

export function refused(...statuses: readonly number[]): Outcome {
  return { kind: 'refused', statuses: statuses.length === 0 ? [400] : statuses, body: null };
}

export function served(body = ''): Outcome {
  return { kind: 'served', statuses: [], body };
}

export function last(body = ''): Outcome {
  return { kind: 'last', statuses: [], body };
}

export function either(body: string | null = null): Outcome {
  return { kind: 'either', statuses: [400], body };
}

/** Of what one engine reads more freely than the other: it may become one request at most, and nothing follows. */
export const loose: Outcome = { kind: 'loose', statuses: [], body: null };

export const never: Outcome = { kind: 'never', statuses: [400, 505], body: null };
export const stalled: Outcome = { kind: 'stalled', statuses: [400], body: null };

/** A chunked body that arrived whole: the fast engine serves nothing behind it. */
export function chunkedServed(body: string): Outcomes {
  return { uws: last(body), node: served(body) };
}

export function hostile(name: string, text: string, outcomes: Outcomes): HostileCase {
  const both = 'uws' in outcomes ? outcomes : { uws: outcomes, node: outcomes };
  return { name, text, ...both, isSplit: false, isSwept: false };
}

/** The same, and cut at every byte. */
export function alsoSplit(one: HostileCase): HostileCase {
  return { ...one, isSplit: true };
}

/** The field by which the recorder knows a case stands first: what follows may never be read. */
export function write({ line, fields = [], host = 'Host: a.test', body = '' }: Parts): string {
  const lines = [line ?? 'POST /case/@ID@ HTTP/1.1', 'X-Case: @ID@', host, ...fields];
  return `${lines.filter((text) => text !== '').join('\r\n')}\r\n\r\n${body}`;
}

/** A case for each byte of `bytes`; `outcomes` null leaves it out. */
export function sweep(
  name: string,
  textOf: (char: string) => string,
  outcomesOf: (char: string) => Outcomes | null,
): HostileCase[] {
  const cases: HostileCase[] = [];
  for (let byte = 0; byte < 256; byte++) {
    const char = String.fromCharCode(byte);
    const outcomes = outcomesOf(char);
    if (outcomes === null) continue;
    cases.push({ ...hostile(`${name}, byte ${byte.toString(16)}`, textOf(char), outcomes), isSwept: true });
  }
  return cases;
}

export function isToken(char: string): boolean {
  return /[A-Za-z0-9!#$%&'*+\-.^_`|~]/.test(char);
}
