// digestAuth: lets users in by Digest access authentication (RFC 7616, MD5, qop "auth").

import { hash } from 'node:crypto';
import { readSearch, readTarget } from '../../rules/target.ts';
import type { Exchange } from '../exchange.ts';
import type { Hooks, Verdict } from '../hooks.ts';
import { loggableName, quotedText } from './auth-text.ts';
import { defineMiddleware } from './define.ts';
import { type DigestAnswer, expectedResponse, readDigest } from './digest-auth/answer.ts';
import { Nonces } from './digest-auth/nonces.ts';
import { htdigest } from './digest-auth/users.ts';
import { headerValue } from './header-text.ts';
import { timingSafeSame } from './same-text.ts';
import { Admission, authorization, unauthorized, userDefinition, usersOf } from './user-auth.ts';

export const digestAuth = defineMiddleware({
  kind: 'digestAuth',
  summary: 'Lets users in by Digest access authentication.',
  ...userDefinition(htdigest),
  build(options, deps): Hooks {
    const users = usersOf(htdigest, options);
    // A nonce stays good over reloads, whatever else changes.
    const nonces = deps.keep(`digest-auth:${deps.name}`, () => new Nonces(deps.bootSecret + deps.name));
    const realm = headerValue(options.realm, 'realm');
    const opaque = hash('md5', deps.bootSecret + deps.name, 'hex');
    const gate = new Gate(users, nonces, { realm, opaque, admission: new Admission(options) });
    return { request: (x) => gate.request(x) };
  },
});

interface GateOptions {
  readonly realm: string;
  readonly opaque: string;
  readonly admission: Admission;
}

class Gate {
  readonly #users: ReadonlyMap<string, string>;
  readonly #nonces: Nonces;
  readonly #options: GateOptions;
  /** The digest of a password nobody has: an unknown name takes as long as a known one. */
  readonly #nobody: string;

  constructor(users: ReadonlyMap<string, string>, nonces: Nonces, options: GateOptions) {
    this.#users = users;
    this.#nonces = nonces;
    this.#options = options;
    this.#nobody = hash('md5', nonces.issue(), 'hex');
  }

  request(x: Exchange): Verdict {
    const written = authorization(x.headers);
    const answer = written === null ? null : readDigest(written);
    if (answer === null) return this.#challenge(x, false);
    x.username = loggableName(answer.username);
    if (!this.#isRight(x, answer)) return this.#challenge(x, false);
    // The password is right: a client that may ask again needs not ask its user again.
    if (!this.#nonces.accept(answer.nonce, answer.nc)) return this.#challenge(x, true);
    return this.#options.admission.admit(x, answer.username);
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
    return unauthorized(x, challenge);
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
