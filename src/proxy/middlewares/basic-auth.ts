// basicAuth: lets users in by name and password. A right pair is worked out once and remembered; working it out
// takes tens of milliseconds and happens on a thread of its own.

import { hash } from 'node:crypto';
import type { Exchange } from '../exchange.ts';
import type { Hooks, Verdict } from '../hooks.ts';
import { loggableName, quotedText } from './auth-text.ts';
import { readCredentials } from './basic-auth/credentials.ts';
import { Logins } from './basic-auth/logins.ts';
import { htpasswd } from './basic-auth/users.ts';
import { defineMiddleware } from './define.ts';
import { headerValue } from './header-text.ts';
import { Admission, authorization, unauthorized, userDefinition, usersOf } from './user-auth.ts';

export const basicAuth = defineMiddleware({
  kind: 'basicAuth',
  summary: 'Lets users in by name and password.',
  ...userDefinition(htpasswd),
  build(options, deps): Hooks {
    const users = usersOf(htpasswd, options);
    const key = hash('sha256', JSON.stringify([deps.name, options.users]), 'hex');
    const logins = deps.keep(`basic-auth:${key}`, () => new Logins(users, deps.bootSecret + key));
    const challenge = `Basic realm="${quotedText(headerValue(options.realm, 'realm'))}"`;
    const gate = new Gate(logins, challenge, new Admission(options));
    return { request: (x) => gate.request(x) };
  },
});

class Gate {
  readonly #logins: Logins;
  readonly #challenge: string;
  readonly #admission: Admission;

  constructor(logins: Logins, challenge: string, admission: Admission) {
    this.#logins = logins;
    this.#challenge = challenge;
    this.#admission = admission;
  }

  request(x: Exchange): Verdict | Promise<Verdict> {
    const written = authorization(x.headers);
    if (written === null) return unauthorized(x, this.#challenge);
    const key = this.#logins.keyOf(written);
    const known = this.#logins.find(key);
    if (known !== null) return this.#pass(x, known);
    const credentials = readCredentials(written);
    if (credentials === null) return unauthorized(x, this.#challenge);
    x.username = loggableName(credentials.name);
    const outcome = this.#logins.verify(key, credentials);
    if (outcome === null) return x.answer(503, ['retry-after', '1'], 'Service Unavailable');
    return outcome.then(
      (isRight) => (isRight ? this.#pass(x, credentials.name) : unauthorized(x, this.#challenge)),
      () => x.answer(503, [], 'Service Unavailable'),
    );
  }

  #pass(x: Exchange, name: string): Verdict {
    x.username = loggableName(name);
    return this.#admission.admit(x, name);
  }
}
