// Options of buffering, and the expression that says when a request is sent again.

import type { z } from 'zod';
import { int, object } from '../fields.ts';
import { expressionText, parsePredicate, type Predicate, type Vocabulary } from '../predicate.ts';
import type { SpoolLimits } from './spool.ts';

/** What is known when an answer's head has come. */
export interface Attempt {
  /** From 1. */
  number: number;
  status: number;
  method: string;
}

/** Bytes of one body where the configuration names no bound. */
const maxBytesUnsaid: number = 4 * 1024 * 1024 * 1024;

const bytes: z.ZodType<number> = int.refine((n) => n >= 0, 'expected a number of bytes, 0 or more') as never;

const retryExpression = expressionText((written) => written === '' || parseRetry(written));

export const schema = object({
  maxRequestBodyBytes: bytes.default(0),
  memRequestBodyBytes: bytes.default(1024 * 1024),
  maxResponseBodyBytes: bytes.default(0),
  memResponseBodyBytes: bytes.default(1024 * 1024),
  retryExpression: retryExpression.default(''),
});

export function limits(max: number, mem: number): SpoolLimits {
  return { maxBytes: max === 0 ? maxBytesUnsaid : max, memBytes: mem };
}

/** Throws `Error` when it cannot be read. */
export function parseRetry(expression: string): Predicate<Attempt> {
  return parsePredicate(expression, vocabulary);
}

const vocabulary: Vocabulary<Attempt> = new Map([
  [
    'IsNetworkError',
    { arity: 0, make: () => ({ kind: 'truth', read: ({ status }) => status === 502 || status === 504 }) },
  ],
  ['Attempts', { arity: 0, make: () => ({ kind: 'number', read: (attempt) => attempt.number }) }],
  ['ResponseCode', { arity: 0, make: () => ({ kind: 'number', read: ({ status }) => status }) }],
  ['RequestMethod', { arity: 0, make: () => ({ kind: 'text', read: ({ method }) => method }) }],
]);
