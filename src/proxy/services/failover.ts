// failover: a second service for when the first is down, or answers with one of the listed statuses.

import type { FailoverErrorsSpec } from '../../model/snapshot.ts';
import { GatewayError } from '../errors.ts';
import type { Exchange, RequestState } from '../exchange.ts';
import { plainTextHeaders } from '../headers.ts';
import { type AnswerVerdict, CONTINUE, type Hooks, RETRY, type Verdict } from '../hooks.ts';
import { fail } from '../pipeline.ts';
import type { Service } from './service.ts';

/**
 * Bytes of a body that is kept for the fallback where `maxRequestBodyBytes` is -1. A longer one of known length
 * goes to the first service only; a chunked one that turns out longer is refused.
 */
export const ownBodyBound: number = 4 * 1024 * 1024;

/** One request's first attempt. */
interface Attempt {
  /** The fallback has it. */
  turned: boolean;
  /** As the first service got it; null when there is nothing to send again. */
  readonly state: RequestState | null;
}

export interface FailoverParts {
  readonly name: string;
  readonly main: Service;
  readonly fallback: Service;
  /** Where `failoverHooks` keeps its fact; null: only health decides. */
  readonly slot: number | null;
}

export class Failover implements Service {
  readonly name: string;
  readonly #main: Service;
  readonly #fallback: Service;
  readonly #slot: number | null;

  constructor({ name, main, fallback, slot }: FailoverParts) {
    this.name = name;
    this.#main = main;
    this.#fallback = fallback;
    this.#slot = slot;
  }

  handle(x: Exchange): void {
    const attempt = this.#slot === null ? undefined : x.fact<Attempt>(this.#slot);
    if (attempt?.turned !== true && this.#main.isUp()) {
      this.#main.handle(x);
      return;
    }
    if (attempt !== undefined) attempt.turned = true;
    if (this.#fallback.isUp()) this.#fallback.handle(x);
    else fail(x, new GatewayError('service.failover_down'));
  }

  setServerUp(): void {}

  isUp(): boolean {
    return this.#main.isUp() || this.#fallback.isUp();
  }
}

/** What stands in front of a failover that looks at statuses, as a middleware of it. */
export function failoverHooks({ status, maxRequestBodyBytes }: FailoverErrorsSpec, slot: number): Hooks {
  const begin = (x: Exchange, isKept: boolean): void => {
    x.keepFact(slot, {
      turned: false,
      state: isKept ? x.rememberRequest() : null,
    } satisfies Attempt);
  };
  return {
    request(x): Verdict | Promise<Verdict> {
      const { body } = x;
      const isBounded = maxRequestBodyBytes >= 0;
      const bound = isBounded ? maxRequestBodyBytes : ownBodyBound;
      const length = body === null ? 0 : (body.collected?.length ?? body.length);
      if (body === null || (body.collected !== null && (length as number) <= bound)) {
        begin(x, true);
        return CONTINUE;
      }
      if (length !== null && length > bound) {
        if (isBounded) return tooLarge(x);
        begin(x, false);
        return CONTINUE;
      }
      return body.collect(bound).then(
        (bytes) => {
          if (bytes === null) return tooLarge(x);
          begin(x, true);
          return CONTINUE;
        },
        () => {
          throw new GatewayError('client.gone');
        },
      );
    },
    response(x): AnswerVerdict {
      const attempt = x.fact<Attempt>(slot);
      if (attempt === undefined || attempt.turned || attempt.state === null) return CONTINUE;
      if (x.status === 101 || !isListed(status, x.status)) return CONTINUE;
      attempt.turned = true;
      x.restoreRequest(attempt.state);
      return RETRY;
    },
  };
}

function tooLarge(x: Exchange): Verdict {
  return x.answer(413, plainTextHeaders(), 'Request body too large\n');
}

function isListed(ranges: FailoverErrorsSpec['status'], status: number): boolean {
  for (const [from, to] of ranges) if (status >= from && status <= to) return true;
  return false;
}
