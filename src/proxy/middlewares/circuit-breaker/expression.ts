// Expressions of circuitBreaker, over what its window has seen.

import { parsePredicate, type Predicate, type TermMaker, type Vocabulary } from '../predicate.ts';
import { Window } from './window.ts';

/** Ratios and latencies in one expression: each costs a counter or a walk through a histogram. */
const maxTerms = 16;

/** The condition, and the window that counts just what it asks for. Throws `Error` when it cannot be read. */
export function parseCondition(expression: string): { window: Window; condition: Predicate<Window> } {
  const window = new Window();
  const condition = parsePredicate(expression, vocabularyOf(window));
  return { window, condition };
}

function vocabularyOf(window: Window): Vocabulary<Window> {
  let terms = 0;
  const limited = (maker: TermMaker<Window>): TermMaker<Window> => ({
    arity: maker.arity,
    make(numbers) {
      terms++;
      if (terms > maxTerms) throw new Error(`more than ${maxTerms} functions`);
      return maker.make(numbers);
    },
  });
  return new Map([
    [
      'NetworkErrorRatio',
      limited({ arity: 0, make: () => ({ kind: 'number', read: (seen) => seen.networkErrorRatio() }) }),
    ],
    [
      'ResponseCodeRatio',
      limited({
        arity: 4,
        make(numbers) {
          const [from, to, divFrom, divTo] = numbers as [number, number, number, number];
          if (!numbers.every(Number.isInteger)) throw new Error('expected whole status codes');
          const part = window.count(from, to);
          const whole = window.count(divFrom, divTo);
          return { kind: 'number', read: (seen) => seen.spanRatio(part, whole) };
        },
      }),
    ],
    [
      'LatencyAtQuantileMS',
      limited({
        arity: 1,
        make([quantile = 0]) {
          if (quantile > 100) throw new Error('expected a quantile from 0 to 100');
          window.keepLatencies();
          return { kind: 'number', read: (seen) => seen.latencyAt(quantile) };
        },
      }),
    ],
  ]);
}
