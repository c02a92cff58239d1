// Challenges in Redis: offered by one node, answered by any, gone after ten minutes whatever happens.

import type { Challenge } from '../../model/acme.ts';
import { isToken } from './challenge.ts';
import type { RedisCalls } from './storage-redis-calls.ts';
import { challengeText, maxKeyAuthorization, readChallenge } from './storage-redis-entries.ts';
import { listChallenges, offerChallenge, withdrawChallenge } from './storage-redis-scripts.ts';

/** Milliseconds a challenge stands. */
const challengeTtl = 600_000;
const maxChallenges = 1000;

export class RedisChallenges {
  readonly #calls: RedisCalls;

  constructor(calls: RedisCalls) {
    this.#calls = calls;
  }

  async offer(challenge: Challenge): Promise<void> {
    if (challenge.kind === 'http-01' && !isToken(challenge.token))
      throw new Error('the token of a challenge is malformed');
    const { channel, node } = this.#calls;
    const text = challengeText(challenge);
    const args = [channel, node, text, challengeTtl, answerOf(challenge), maxChallenges];
    const answer = await this.#calls.run(offerChallenge, this.#keys(challenge), args);
    if (answer === 'full') throw new Error(`more than ${maxChallenges} challenges are offered`);
  }

  async withdraw(challenge: Challenge): Promise<void> {
    const { channel, node } = this.#calls;
    const args = [channel, node, challengeText(challenge), answerOf(challenge)];
    await this.#calls.run(withdrawChallenge, this.#keys(challenge), args);
  }

  async find(token: string): Promise<string | null> {
    // It comes from a client: what no authority would send is not asked for.
    if (!isToken(token)) return null;
    // Not `GET`: what stands there may be as long as Redis allows, and a stranger decides when it is read.
    const found = await this.#calls.call('GETRANGE', [this.#tokenKey(token), 0, maxKeyAuthorization]);
    const isAnswer = typeof found === 'string' && found !== '' && found.length <= maxKeyAuthorization;
    return isAnswer ? found : null;
  }

  async offered(): Promise<readonly Challenge[]> {
    const texts = await this.#calls.run(listChallenges, [this.#calls.key('challenges')], [maxChallenges]);
    if (!Array.isArray(texts)) return [];
    return texts.flatMap((text) => (typeof text === 'string' ? (readChallenge(text) ?? []) : []));
  }

  #keys(challenge: Challenge): string[] {
    const token = challenge.kind === 'http-01' ? challenge.token : '';
    return [this.#calls.key('challenges'), this.#tokenKey(token)];
  }

  #tokenKey(token: string): string {
    return this.#calls.key(`token:${token}`);
  }
}

/** What http-01 is answered with; nothing for other kinds, which nobody asks for by token. */
function answerOf(challenge: Challenge): string {
  return challenge.kind === 'http-01' ? challenge.keyAuthorization : '';
}
