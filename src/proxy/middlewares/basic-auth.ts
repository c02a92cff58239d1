// basicAuth: lets users in by name and password. A right pair is worked out once and remembered; working it out
// takes tens of milliseconds and happens on a thread of its own.

import { hash } from 'node:crypto';
import type { Exchange } from '../exchange.ts';
import { deleteHeader, type HeaderList } from '../headers.ts';
import { CONTINUE, type Hooks, type Verdict } from '../hooks.ts';
import { loggableName, quotedText } from './auth-text.ts';
import { readCredentials } from './basic-auth/credentials.ts';
import { Logins } from './basic-auth/logins.ts';
import { mergeUsers, parseUsers, usersProblem } from './basic-auth/users.ts';
import { defineMiddleware } from './define.ts';
import { bool, list, object, secret, text } from './fields.ts';
import { headerName, headerValue } from './header-text.ts';
import { headerFieldOf, OwnHeaders } from './own-headers.ts';

export const basicAuth = defineMiddleware({
  kind: 'basicAuth',
  summary: 'Lets users in by name and password.',
  schema: object({
    users: secret(
      list.default([]).superRefine((lines, context) => {
        for (const line of lines) {
          const message = usersProblem(line);
          if (message !== null) context.addIssue({ code: 'custom', message });
        }
      }),
    ),
    usersFile: text.default(''),
    realm: text.default('traefik'),
    removeHeader: bool.default(false),
    headerField: text.default(''),
  }).refine(({ users, usersFile }) => users.length > 0 || usersFile !== '', 'expected users or a usersFile'),
  withFiles(options, readFile) {
    if (options.usersFile === '') return options;
    return { ...options, usersFile: '', users: mergeUsers(options.users, readFile(options.usersFile)) };
  },
  ownHeaders: headerFieldOf,
  build(options, deps): Hooks {
    if (options.usersFile !== '') throw new Error('usersFile was not read');
    const users = parseUsers(options.users);
    if (users.size === 0) throw new Error('there is no user');
    const key = hash('sha256', JSON.stringify([deps.name, options.users]), 'hex');
    const logins = deps.keep(`basic-auth:${key}`, () => new Logins(users, deps.bootSecret + key));
    const gate = new Gate(logins, {
      challenge: `Basic realm="${quotedText(headerValue(options.realm, 'realm'))}"`,
      removeHeader: options.removeHeader,
      headerField: options.headerField === '' ? '' : headerName(options.headerField, 'headerField'),
    });
    return { request: (x) => gate.request(x) };
  },
});

interface GateOptions {
  readonly challenge: string;
  readonly removeHeader: boolean;
  /** In lower case; empty for none. */
  readonly headerField: string;
}

class Gate {
  readonly #logins: Logins;
  readonly #options: GateOptions;
  readonly #own: OwnHeaders;

  constructor(logins: Logins, options: GateOptions) {
    this.#logins = logins;
    this.#options = options;
    this.#own = new OwnHeaders(options.headerField === '' ? [] : [options.headerField]);
  }

  request(x: Exchange): Verdict | Promise<Verdict> {
    const written = authorization(x.headers);
    if (written === null) return this.#refuse(x);
    const key = this.#logins.keyOf(written);
    const known = this.#logins.find(key);
    if (known !== null) return this.#pass(x, known);
    const credentials = readCredentials(written);
    if (credentials === null) return this.#refuse(x);
    x.username = loggableName(credentials.name);
    const outcome = this.#logins.verify(key, credentials);
    if (outcome === null) return x.answer(503, ['retry-after', '1'], 'Service Unavailable');
    return outcome.then(
      (isRight) => (isRight ? this.#pass(x, credentials.name) : this.#refuse(x)),
      () => x.answer(503, [], 'Service Unavailable'),
    );
  }

  #pass(x: Exchange, name: string): Verdict {
    const { removeHeader, headerField } = this.#options;
    x.username = loggableName(name);
    if (removeHeader) deleteHeader(x.headers, 'authorization');
    if (headerField !== '') {
      this.#own.clear(x.headers);
      x.headers.push(headerField, name);
    }
    return CONTINUE;
  }

  #refuse(x: Exchange): Verdict {
    const headers = ['content-type', 'text/plain', 'www-authenticate', this.#options.challenge];
    return x.answer(401, headers, '401 Unauthorized\n');
  }
}

/** Null when there is none, or several: the server behind might believe another one than we do. */
function authorization(headers: HeaderList): string | null {
  let found: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'authorization') continue;
    if (found !== null) return null;
    found = headers[i + 1] as string;
  }
  return found;
}
