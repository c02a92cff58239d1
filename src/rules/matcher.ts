// What a matcher is to the compiler: a name, a count of arguments and a way to make a test of them.

import type { Limits } from './limits.ts';
import type { RuleMatch, RuleSubject } from './subject.ts';

export interface MatcherKind {
  readonly name: string;
  readonly minArgs: number;
  readonly maxArgs: number;
  /** Throws `MatcherFault`. Arguments are as many as allowed, none of them empty. */
  readonly build: (args: readonly string[]) => BuiltMatcher;
}

export interface BuiltMatcher {
  readonly match: RuleMatch;
  /** What the matcher looked at, for an explanation. Never a header's or a query's value: those hold secrets. */
  readonly seen: (subject: RuleSubject) => string;
  /** Where not negated. */
  readonly limits?: Limits;
  /** Names a certificate is wanted for, lower case. */
  readonly domains?: readonly string[];
  readonly warnings?: readonly string[];
}

/** Why a matcher's arguments are refused. */
export class MatcherFault extends Error {
  /** Index of the argument. */
  readonly argument: number;
  readonly hint: string | null;

  constructor(message: string, argument: number, hint: string | null = null) {
    super(message);
    this.name = 'MatcherFault';
    this.argument = argument;
    this.hint = hint;
  }
}

export function seenHost(subject: RuleSubject): string {
  return `host is ${quoted(subject.host)}`;
}

export function seenPath(subject: RuleSubject): string {
  return `path is ${quoted(subject.routePath)}`;
}

export function seenMethod(subject: RuleSubject): string {
  return `method is ${quoted(subject.method)}`;
}

export function seenPeer(subject: RuleSubject): string {
  return `peer is ${quoted(subject.peer)}`;
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** Longest client text repeated in an explanation, in UTF-16 units. */
const maxSeenLength = 200;

function quoted(text: string): string {
  return JSON.stringify(text.length > maxSeenLength ? `${text.slice(0, maxSeenLength)}…` : text);
}
