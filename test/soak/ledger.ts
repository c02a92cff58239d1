// What became of each request, counted; failures are kept whole, and held against what is allowed.

import { type Allowance, type EventName, type Kind, kinds, type NodeName } from './plan.ts';

export interface Failure {
  /** `performance.now()`. */
  readonly at: number;
  readonly node: NodeName;
  readonly kind: Kind;
  readonly what: string;
  /** The client's port, 0 when it is not known. */
  readonly port: number;
  /** When its connection was begun, 0 when that is long ago. */
  readonly opened: number;
}

export interface Happened {
  readonly event: EventName;
  readonly node: NodeName | null;
  readonly begun: number;
  readonly ended: number;
  /** When the last socket of a killed worker was closed: until then its queue takes connections. */
  readonly gone?: number;
  /** Ports of the clients whose connections went with a killed worker. */
  readonly victims: ReadonlySet<number>;
}

export interface Count {
  readonly kind: Kind;
  answered: number;
  failed: number;
  /** Asked again on a new connection, and counted as answered. */
  repeated: number;
  /** Not asked, because too many were under way. */
  skipped: number;
  /** Milliseconds, the slowest that was answered. */
  slowest: number;
}

/** Failures that are kept; of what comes after them only the number. */
const mostFailures = 10_000;

export class Ledger {
  readonly counts: ReadonlyMap<Kind, Count> = new Map(
    kinds.map((kind) => [kind, { kind, answered: 0, failed: 0, repeated: 0, skipped: 0, slowest: 0 }]),
  );
  readonly failures: Failure[] = [];
  readonly happened: Happened[] = [];
  /** `performance.now()` of what the limited route let through. */
  readonly passed: number[] = [];
  /** Events and looks that did not come to their end. */
  readonly mishaps: string[] = [];

  of(kind: Kind): Count {
    return this.counts.get(kind) as Count;
  }

  fail(failure: Failure): void {
    this.of(failure.kind).failed += 1;
    if (this.failures.length < mostFailures) this.failures.push(failure);
  }
}

export interface Judged {
  /** By allowance, in their order: how many it covered, and the most of one event. */
  readonly allowed: readonly {
    readonly allowance: Allowance;
    readonly total: number;
    readonly most: number;
  }[];
  readonly alien: readonly Failure[];
}

/** Each failure is covered by at most one allowance of one event. */
export function judgeFailures(
  failures: readonly Failure[],
  happened: readonly Happened[],
  allowances: readonly Allowance[],
): Judged {
  const used = allowances.map(() => new Map<Happened, number>());
  const alien: Failure[] = [];
  for (const failure of failures) {
    const isCovered = allowances.some((allowance, at) => {
      const spent = used[at] as Map<Happened, number>;
      const event = happened.find(
        (one) => covers(allowance, one, failure) && (spent.get(one) ?? 0) < allowance.most,
      );
      if (event !== undefined) spent.set(event, (spent.get(event) ?? 0) + 1);
      return event !== undefined;
    });
    if (!isCovered) alien.push(failure);
  }
  return {
    alien,
    allowed: allowances.map((allowance, at) => {
      const numbers = [...(used[at] as Map<Happened, number>).values()];
      return { allowance, total: numbers.reduce((sum, one) => sum + one, 0), most: Math.max(0, ...numbers) };
    }),
  };
}

/** Milliseconds by which a connection may seem to have begun after it. */
const stillArriving = 50;

function covers(allowance: Allowance, event: Happened, failure: Failure): boolean {
  const [before, after] = allowance.around;
  return (
    event.event === allowance.event &&
    (event.node === null || event.node === failure.node) &&
    failure.at >= event.begun - before &&
    failure.at <= event.ended + after &&
    (allowance.kinds === 'all' || allowance.kinds.includes(failure.kind)) &&
    allowance.what.test(failure.what) &&
    (allowance.onVictim !== true ||
      event.victims.has(failure.port) ||
      (failure.opened > 0 && failure.opened <= (event.gone ?? event.begun) + stillArriving))
  );
}
