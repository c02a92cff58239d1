// Labels whose values clients send (`headerLabels`): a number for each combination of values, and a bound on how many.

import type { MetricsSettings } from '../model/metrics.ts';
import { labelsText } from './metric-text.ts';

/** Combinations told apart in one worker; what comes after them is `other`. */
export const maxCombinations = 100;
/** Characters of one value. */
const maxValue = 64;

/** Of one worker; the numbers mean nothing in another. */
export class HeaderLabels {
  /** Labels by number: 0 is never used, 1 stands for all that are too many. */
  readonly texts: string[];
  readonly #names: readonly string[];
  readonly #headers: readonly string[];
  readonly #numbers = new Map<string, number>();

  constructor(labels: MetricsSettings['headerLabels']) {
    this.#names = labels.map(({ label }) => label);
    this.#headers = labels.map(({ header }) => header);
    const other = this.#names.map(() => 'other');
    this.texts = ['', labelsText(this.#names, other)];
  }

  get isEmpty(): boolean {
    return this.#headers.length === 0;
  }

  /** `headers`: flat name, value, names in lower case; the first line of a name counts. */
  numberOf(headers: readonly string[]): number {
    const values = this.#headers.map((wanted) => {
      for (let i = 0; i < headers.length; i += 2) {
        if (headers[i] === wanted) return (headers[i + 1] as string).slice(0, maxValue);
      }
      return '';
    });
    const text = labelsText(this.#names, values);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (this.#numbers.size >= maxCombinations) return 1;
    this.#numbers.set(text, this.texts.length);
    this.texts.push(text);
    return this.texts.length - 1;
  }
}
