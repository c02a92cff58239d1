// Keys from a JWKS address: asked for when they are needed, by one question at a time, and never oftener than
// strangers with made-up key ids would like.

import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { Algorithm } from 'fast-jwt';
import { GatewayError } from '../../errors.ts';
import type { AuthAnswer } from '../../upstream/auth-call.ts';
import type { AuthClient } from '../../upstream/auth-client.ts';
import { algorithmsOf, exported, type KeySource, type Verify, verifierFor } from './key-source.ts';

/** Milliseconds for one question. */
const timeout = 5_000;
/** Bytes of an answer, and keys of it that are read. */
const maxBody = 256 * 1024;
const maxKeys = 100;
/** Milliseconds after which keys are asked for again beside the requests. */
const freshFor = 10 * 60_000;
/** Milliseconds that keys are used while their address does not answer: a key withdrawn must end some time. */
const usableFor = 60 * 60_000;
/** Milliseconds between two questions for a key nobody has, and after a question that failed. */
const cooldown = 30_000;
const cooldownAfterFailure = 2_000;

interface Key {
  readonly kid: string | null;
  readonly algorithms: readonly Algorithm[];
  readonly pem: string;
  readonly verify: Verify;
}

export class RemoteKeys implements KeySource {
  generation = 0;
  readonly #client: AuthClient;
  readonly #wanted: readonly Algorithm[];
  #keys: readonly Key[] = [];
  /** On the clock of `performance.now()`, as all times here. */
  #readAt = Number.NEGATIVE_INFINITY;
  #mayAskAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;

  constructor(client: AuthClient, wanted: readonly Algorithm[]) {
    this.#client = client;
    this.#wanted = wanted;
  }

  find(kid: string | null, algorithm: string): ReturnType<KeySource['find']> {
    const now = performance.now();
    const found = this.#pick(kid, algorithm);
    if (found !== null) {
      if (now - this.#readAt > freshFor) void this.#refresh(now);
      return found;
    }
    const running = this.#refresh(now);
    if (running === null) return this.#missing();
    return running.then(() => this.#pick(kid, algorithm) ?? this.#missing());
  }

  close(): void {
    this.#keys = [];
    this.#mayAskAt = Number.POSITIVE_INFINITY;
  }

  #missing(): null | 'no_keys' {
    return this.#isUsable() ? null : 'no_keys';
  }

  #isUsable(): boolean {
    return performance.now() - this.#readAt <= usableFor;
  }

  #pick(kid: string | null, algorithm: string): Verify | null {
    if (!this.#isUsable()) return null;
    const fitting = this.#keys.filter(({ algorithms }) => algorithms.some((name) => name === algorithm));
    // A token without an id is for the only key there is; with several, guessing would multiply the work.
    if (kid === null) return fitting.length === 1 ? (fitting[0] as Key).verify : null;
    return fitting.find((key) => key.kid === kid)?.verify ?? null;
  }

  /** The question under way, or a new one; null while it is too early for one. */
  #refresh(now: number): Promise<void> | null {
    if (this.#running !== null) return this.#running;
    if (now < this.#mayAskAt) return null;
    this.#mayAskAt = now + cooldown;
    this.#running = new Promise((resolve) => {
      const headers = ['accept', 'application/json', 'user-agent', 'portcullis'];
      this.#client.ask(
        { method: 'GET', headers, body: null, timeout, maxBody },
        {
          onAnswer: (answer) => {
            this.#running = null;
            if (!this.#take(answer)) this.#mayAskAt = performance.now() + cooldownAfterFailure;
            resolve();
          },
        },
      );
    });
    return this.#running;
  }

  #take(answer: AuthAnswer | GatewayError): boolean {
    if (answer instanceof GatewayError || answer.status !== 200 || answer.tooLarge) return false;
    const keys = readKeys(answer.body, this.#wanted);
    if (keys === null) return false;
    const isKept = this.#keys.every((old) => keys.some((key) => key.kid === old.kid && key.pem === old.pem));
    if (!isKept) this.generation += 1;
    this.#keys = keys;
    this.#readAt = performance.now();
    return true;
  }
}

/** Null when it is no key set with a key for us in it. */
function readKeys(body: Uint8Array, wanted: readonly Algorithm[]): readonly Key[] | null {
  let written: unknown;
  try {
    written = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'));
  } catch {
    return null;
  }
  const list = (written as { readonly keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) return null;
  const keys = list.slice(0, maxKeys).flatMap((jwk) => readKey(jwk, wanted) ?? []);
  return keys.length === 0 ? null : keys;
}

function readKey(written: unknown, wanted: readonly Algorithm[]): Key | null {
  if (typeof written !== 'object' || written === null) return null;
  const { kid, use, alg, kty } = written as Record<string, unknown>;
  // A symmetric key that anybody can fetch signs for anybody.
  if (kty === 'oct' || (use !== undefined && use !== 'sig')) return null;
  try {
    const key = createPublicKey({ key: written as JsonWebKey, format: 'jwk' });
    const algorithms = algorithmsOf(key, wanted).filter((name) => alg === undefined || name === alg);
    if (algorithms.length === 0) return null;
    const pem = exported(key);
    return {
      kid: typeof kid === 'string' ? kid : null,
      algorithms,
      pem,
      verify: verifierFor(pem, algorithms),
    };
  } catch {
    return null;
  }
}
