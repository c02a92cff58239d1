// Answers http-01: what an authority finds under `/.well-known/acme-challenge/`.

import { GatewayError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { answer, fail } from '../pipeline.ts';
import { statusText } from '../status.ts';
import type { InternalFacts } from './internal.ts';

const prefix = '/.well-known/acme-challenge/';
/** RFC 8555 §8.1: base64url; authorities use 43 characters. */
const token = /^[\w-]{16,128}$/;
/** Tokens of other nodes a worker asks the primary for, per second: anybody may ask for any. */
const maxAsks = 20;

/** Tokens of this node are known here; of others the primary is asked, which can look into what they share. */
export function challengeService(facts: InternalFacts): (x: Exchange) => void {
  const asks = new Asks();
  return (x) => {
    const asked = x.path.startsWith(prefix) ? x.path.slice(prefix.length) : '';
    if (!token.test(asked)) {
      notFound(x);
      return;
    }
    const known = facts.challengeAnswer(asked);
    if (known !== null) found(x, known);
    else if (!asks.isFree()) notFound(x);
    else {
      ask(x, facts, asked).catch((error: unknown) => {
        fail(x, new GatewayError('gateway.bug', 'the primary did not answer', error));
      });
    }
  };
}

async function ask(x: Exchange, facts: InternalFacts, asked: string): Promise<void> {
  const target = prefix + asked;
  const got = await facts.askPrimary({
    method: 'GET',
    target,
    contentType: '',
    body: '',
    service: 'acme-http',
  });
  if (x.ended) return;
  if (got.status === 200) found(x, got.body);
  else notFound(x);
}

function found(x: Exchange, keyAuthorization: string): void {
  x.answer(200, ['content-type', 'text/plain'], keyAuthorization);
  answer(x);
}

function notFound(x: Exchange): void {
  x.answer(404, [], statusText(404));
  answer(x);
}

class Asks {
  #since = 0;
  #count = 0;

  isFree(): boolean {
    const now = performance.now();
    if (now - this.#since >= 1000) {
      this.#since = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= maxAsks;
  }
}
