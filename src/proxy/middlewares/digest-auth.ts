// digestAuth: lets users in by Digest access authentication (RFC 7616, MD5, qop "auth").

import { hash } from 'node:crypto';
import { readSearch, readTarget } from '../entrypoints/target.ts';
import type { Exchange } from '../exchange.ts';
import { deleteHeader, getHeaderValues } from '../headers.ts';
import { CONTINUE, type Hooks, type Verdict } from '../hooks.ts';
import { loggableName, quotedText } from './auth-text.ts';
import { defineMiddleware } from './define.ts';
import { type DigestAnswer, expectedResponse, readDigest } from './digest-auth/answer.ts';
import { Nonces } from './digest-auth/nonces.ts';
import { digestProblem, mergeDigestUsers, parseDigestUsers } from './digest-auth/users.ts';
import { bool, list, object, secret, text } from './fields.ts';
import { headerName, headerValue } from './header-text.ts';
import { headerFieldOf, OwnHeaders } from './own-headers.ts';
import { timingSafeSame } from './same-text.ts';

export const digestAuth = defineMiddleware({
  kind: 'digestAuth',
  summary: 'Lets users in by Digest access authentication.',
  schema: object({
    users: secret(
      list.default([]).superRefine((lines, context) => {
        for (const line of lines) {
          const message = digestProblem(line);
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
    return { ...options, usersFile: '', users: mergeDigestUsers(options.users, readFile(options.usersFile)) };
  },
  ownHeaders: headerFieldOf,
  build(options, deps): Hooks {
    if (options.usersFile !== '') throw new Error('usersFile was not read');
    const users = parseDigestUsers(options.users);
    if (users.size === 0) throw new Error('there is no user');
    // A nonce stays good over reloads, whatever else changes.
    const nonces = deps.keep(`digest-auth:${deps.name}`, () => new Nonces(deps.bootSecret + deps.name));
    const realm = headerValue(options.realm, 'realm');
    const headerField = options.headerField === '' ? '' : headerName(options.headerField, 'headerField');
    const opaque = hash('md5', deps.bootSecret + deps.name, 'hex');
    const gate = new Gate(users, nonces, { realm, opaque, headerField, removeHeader: options.removeHeader });
    return { request: (x) => gate.request(x) };
  },
});

interface GateOptions {
  readonly realm: string;
  readonly opaque: string;
  readonly headerField: string;
  readonly removeHeader: boolean;
}

class Gate {
  readonly #users: ReadonlyMap<string, string>;
  readonly #nonces: Nonces;
  readonly #options: GateOptions;
  readonly #own: OwnHeaders;
  /** The digest of a password nobody has: an unknown name takes as long as a known one. */
  readonly #nobody: string;

  constructor(users: ReadonlyMap<string, string>, nonces: Nonces, options: GateOptions) {
    this.#users = users;
    this.#nonces = nonces;
    this.#options = options;
    this.#own = new OwnHeaders(options.headerField === '' ? [] : [options.headerField]);
    this.#nobody = hash('md5', nonces.issue(), 'hex');
  }

  request(x: Exchange): Verdict {
    const written = getHeaderValues(x.headers, 'authorization');
    const answer = written.length === 1 ? readDigest(written[0] as string) : null;
    if (answer === null) return this.#challenge(x, false);
    x.username = loggableName(answer.username);
    if (!this.#isRight(x, answer)) return this.#challenge(x, false);
    // The password is right: a client that may ask again needs not ask its user again.
    if (!this.#nonces.accept(answer.nonce, answer.nc)) return this.#challenge(x, true);
    const { removeHeader, headerField } = this.#options;
    if (removeHeader) deleteHeader(x.headers, 'authorization');
    if (headerField !== '') {
      this.#own.clear(x.headers);
      x.headers.push(headerField, answer.username);
    }
    return CONTINUE;
  }

  #isRight(x: Exchange, answer: DigestAnswer): boolean {
    const { realm, opaque } = this.#options;
    const secret = this.#users.get(`${answer.username}:${realm}`);
    const expected = expectedResponse(answer, x.method, secret ?? this.#nobody);
    const isSame = timingSafeSame(expected, answer.response);
    if (secret === undefined || !isSame || answer.realm !== realm) return false;
    return answer.opaque === opaque && isTarget(answer.uri, x);
  }

  #challenge(x: Exchange, isStale: boolean): Verdict {
    const { realm, opaque } = this.#options;
    const parts = `realm="${quotedText(realm)}", nonce="${this.#nonces.issue()}", opaque="${opaque}"`;
    const stale = isStale ? ', stale=true' : '';
    const challenge = `Digest ${parts}, algorithm=MD5, qop="auth"${stale}`;
    const headers = ['content-type', 'text/plain', 'www-authenticate', challenge];
    return x.answer(401, headers, '401 Unauthorized\n');
  }
}

/** Whether `uri` means what was asked for, read as intake read the request line: middlewares may have changed it. */
function isTarget(uri: string, x: Exchange): boolean {
  const { spec } = x.entryPoint;
  const at = uri.indexOf('?');
  const target = readTarget(at === -1 ? uri : uri.slice(0, at), spec.http);
  const search = readSearch(at === -1 ? '' : uri.slice(at + 1), spec.http.encodeQuerySemicolons);
  return target?.path === x.requestPath && search === x.search;
}
