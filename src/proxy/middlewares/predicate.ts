// The small language of circuitBreaker and buffering: functions compared with numbers or texts, joined by && and ||.

import type { z } from 'zod';
import { text } from './fields.ts';
import { tokenize, type Token } from './predicate/tokens.ts';

/** What a function of the language stands for, read from the facts at hand. */
export type Term<Facts> =
  | { readonly kind: 'number'; read(facts: Facts): number }
  | { readonly kind: 'text'; read(facts: Facts): string }
  | { readonly kind: 'truth'; read(facts: Facts): boolean };

export interface TermMaker<Facts> {
  /** How many numbers stand between its parentheses. */
  readonly arity: number;
  /** At parse time, once for each place it stands at. Throws `Error` for numbers that make no sense. */
  make(numbers: readonly number[]): Term<Facts>;
}

/** By name, as it is written. */
export type Vocabulary<Facts> = ReadonlyMap<string, TermMaker<Facts>>;

export type Predicate<Facts> = (facts: Facts) => boolean;

/** Parentheses within parentheses. */
const maxDepth = 32;

/** Throws `Error` that says what is wrong, and at which character. */
export function parsePredicate<Facts>(text: string, vocabulary: Vocabulary<Facts>): Predicate<Facts> {
  const parser = new Parser(tokenize(text), vocabulary);
  return parser.whole();
}

/** The schema of an expression: a text that `parse`, which throws `Error`, can read. */
export function expressionText(parse: (written: string) => unknown): z.ZodType<string> {
  return text.transform((written, context) => {
    try {
      parse(written);
    } catch (error) {
      const message = `the expression cannot be read: ${(error as Error).message}`;
      context.addIssue({ code: 'custom', message });
    }
    return written;
  });
}

class Parser<Facts> {
  readonly #tokens: readonly Token[];
  readonly #vocabulary: Vocabulary<Facts>;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], vocabulary: Vocabulary<Facts>) {
    this.#tokens = tokens;
    this.#vocabulary = vocabulary;
  }

  whole(): Predicate<Facts> {
    const predicate = this.#either();
    if (this.#next.kind !== 'end') throw wrong(this.#next, 'expected && or ||');
    return predicate;
  }

  get #next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #either(): Predicate<Facts> {
    const parts = [this.#both()];
    while (this.#takes('||')) parts.push(this.#both());
    return parts.length === 1 ? (parts[0] as Predicate<Facts>) : (facts) => parts.some((one) => one(facts));
  }

  #both(): Predicate<Facts> {
    const parts = [this.#single()];
    while (this.#takes('&&')) parts.push(this.#single());
    return parts.length === 1 ? (parts[0] as Predicate<Facts>) : (facts) => parts.every((one) => one(facts));
  }

  #single(): Predicate<Facts> {
    if (!this.#takes('(')) return this.#comparison();
    this.#depth++;
    if (this.#depth > maxDepth)
      throw wrong(this.#next, `more than ${maxDepth} parentheses within each other`);
    const inner = this.#either();
    this.#expect(')');
    this.#depth--;
    return inner;
  }

  #comparison(): Predicate<Facts> {
    const start = this.#next;
    const term = this.#term();
    if (term.kind === 'truth') return (facts) => term.read(facts);
    const operator = this.#next;
    if (operator.kind !== 'comparison') throw wrong(start, `${start.text}() must be compared with something`);
    this.#at++;
    const value = this.#next;
    this.#at++;
    if (term.kind === 'text') return compareText(term, operator, value);
    if (value.kind !== 'number') throw wrong(value, 'expected a number');
    return compareNumber(term, operator.text, value.number);
  }

  #term(): Term<Facts> {
    const name = this.#next;
    if (name.kind !== 'name') throw wrong(name, `expected one of ${this.#known()}`);
    const maker = this.#vocabulary.get(name.text);
    if (maker === undefined)
      throw wrong(name, `there is no function ${name.text}, expected one of ${this.#known()}`);
    this.#at++;
    this.#expect('(');
    const numbers: number[] = [];
    while (this.#next.kind === 'number') {
      numbers.push(this.#next.number);
      this.#at++;
      if (!this.#takes(',')) break;
    }
    this.#expect(')');
    if (numbers.length !== maker.arity)
      throw wrong(name, `${name.text} takes ${maker.arity} numbers, not ${numbers.length}`);
    try {
      return maker.make(numbers);
    } catch (error) {
      throw wrong(name, (error as Error).message);
    }
  }

  #known(): string {
    return [...this.#vocabulary.keys()].join(', ');
  }

  #takes(text: string): boolean {
    if (this.#next.kind !== 'sign' || this.#next.text !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw wrong(this.#next, `expected ${text}`);
  }
}

function compareText<Facts>(
  term: Term<Facts> & { kind: 'text' },
  operator: Token,
  value: Token,
): Predicate<Facts> {
  if (value.kind !== 'text') throw wrong(value, 'expected a text in quotes');
  const expected = value.text;
  if (operator.text === '==') return (facts) => term.read(facts) === expected;
  if (operator.text === '!=') return (facts) => term.read(facts) !== expected;
  throw wrong(operator, 'texts are compared by == and != only');
}

function compareNumber<Facts>(
  term: Term<Facts> & { kind: 'number' },
  operator: string,
  value: number,
): Predicate<Facts> {
  switch (operator) {
    case '<':
      return (facts) => term.read(facts) < value;
    case '<=':
      return (facts) => term.read(facts) <= value;
    case '>':
      return (facts) => term.read(facts) > value;
    case '>=':
      return (facts) => term.read(facts) >= value;
    case '==':
      return (facts) => term.read(facts) === value;
    default:
      return (facts) => term.read(facts) !== value;
  }
}

function wrong(token: Token, message: string): Error {
  return new Error(`at character ${token.offset + 1}: ${message}`);
}
