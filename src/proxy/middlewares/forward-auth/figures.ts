// What one forwardAuth tells the metrics beside what its cache does: questions that failed, and times of requests.

import { Histogram, type Instrument, type Instruments } from '../../../observability/instruments.ts';
import { metricNames } from '../../../observability/names.ts';
import type { ErrorCode } from '../../errors.ts';
import type { BuildDeps } from '../define.ts';
import type { Outcome } from './asker.ts';

type Reason = 'unreachable' | 'timeout' | 'bad_answer' | 'status';

const reasons: Partial<Record<ErrorCode, Reason>> = {
  'auth.unreachable': 'unreachable',
  'auth.timeout': 'timeout',
  'auth.bad_answer': 'bad_answer',
};

export class AuthFigures {
  readonly failures: Record<Reason, number> = { unreachable: 0, timeout: 0, bad_answer: 0, status: 0 };
  /** Whole times of requests: those that a kept decision answered, those that none did, those without a cache. */
  readonly hit = new Histogram();
  readonly miss = new Histogram();
  readonly none = new Histogram();

  /** The end of a question; one that nobody waited for any more is no failure. */
  asked({ decision, error }: Outcome): void {
    if (error !== null) {
      const reason = reasons[error.code];
      if (reason !== undefined) this.failures[reason] += 1;
    } else if (decision !== null && !decision.allow && decision.isFailure) this.failures.status += 1;
  }
}

/** The same one for as long as there is a middleware of that name; null where nothing is counted. */
export function keepFigures(deps: BuildDeps): AuthFigures | null {
  const { name, meters = null } = deps;
  if (meters === null) return null;
  return deps.keep(`auth-figures:${name}`, () => {
    const figures = new AuthFigures();
    const shown = show(name, figures, meters.instruments);
    const close = (): void => {
      for (const instrument of shown) instrument.close();
    };
    return { figures, close };
  }).figures;
}

function show(name: string, figures: AuthFigures, instruments: Instruments): readonly Instrument[] {
  const { failures } = figures;
  // Failures from the beginning: a query that looks for a rise has to have seen 0.
  const counters = (Object.keys(failures) as Reason[]).map((reason) =>
    instruments.counter(metricNames.authFailures, [name, reason], () => failures[reason]),
  );
  const times = (['hit', 'miss', 'none'] as const).map((cache) =>
    instruments.whenUsed(
      () => figures[cache].count > 0,
      () => instruments.histogram(metricNames.authRequests, [cache, name], figures[cache]),
    ),
  );
  return [...counters, ...times];
}
