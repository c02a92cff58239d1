// jwt: lets requests in that carry a token signed by someone we trust, without asking anybody.

import { hash } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { deleteHeader, type HeaderList } from '../headers.ts';
import { ANSWERED, CONTINUE, type Hooks, type Verdict } from '../hooks.ts';
import { quotedText } from './auth-text.ts';
import { type BuildDeps, defineMiddleware } from './define.ts';
import { headerName, headerValue } from './header-text.ts';
import { type Accepted, type Outcome, TokenCheck } from './jwt/check.ts';
import { type KeySource, staticKey } from './jwt/key-source.ts';
import { RemoteKeys } from './jwt/remote-keys.ts';
import { type JwtOptions, jwtSchema, secretProblem } from './jwt/options.ts';
import { readToken } from './jwt/token.ts';
import { OwnHeaders } from './own-headers.ts';

export const jwt = defineMiddleware({
  kind: 'jwt',
  summary: 'Lets requests in that carry a valid JSON Web Token.',
  schema: jwtSchema,
  withFiles(options, readFile) {
    const publicKey = options.publicKeyFile === '' ? options.publicKey : readFile(options.publicKeyFile);
    const secret = options.secretFile === '' ? options.secret : checkedSecret(readFile(options.secretFile));
    return { ...options, publicKey, secret, publicKeyFile: '', secretFile: '' };
  },
  ownHeaders(options) {
    const { headerField, claimsToHeaders } = (options ?? {}) as Partial<JwtOptions>;
    const names = typeof claimsToHeaders === 'object' ? Object.values(claimsToHeaders) : [];
    return [...names, headerField].filter((name) => typeof name === 'string' && name !== '') as string[];
  },
  build(options, deps): Hooks {
    if (options.publicKeyFile !== '' || options.secretFile !== '')
      throw new Error('the key file was not read');
    const fields = headerFields(options);
    const keys = keysOf(options, deps);
    const checkKey = hash('sha256', JSON.stringify([deps.name, options]), 'hex');
    const check = deps.keep(
      `jwt:${checkKey}`,
      () => new TokenCheck(options, fields, keys, deps.bootSecret + checkKey),
    );
    const gate = new Gate(options, fields, check);
    return { request: (x) => gate.request(x) };
  },
});

/** Of a file: it may be empty, or half written, when it is read. Throws `Error` without a word of it. */
function checkedSecret(file: string): string {
  const secret = file.trim();
  const problem = secretProblem(secret);
  if (problem !== null) throw new Error(`secretFile: ${problem}`);
  return secret;
}

function keysOf(options: JwtOptions, deps: BuildDeps): KeySource {
  if (options.jwksUrl === '') return staticKey(options);
  const address = options.jwksUrl;
  const client = deps.authClients.get({ address, tls: null });
  const key = `jwks:${hash('sha256', JSON.stringify([address, options.algorithms]), 'hex')}`;
  return deps.keep(key, () => new RemoteKeys(client, options.algorithms));
}

/** Claim and header in lower case. Throws `Error` for a name that is none. */
function headerFields(options: JwtOptions): readonly (readonly [string, string])[] {
  const fields = Object.entries(options.claimsToHeaders).map(
    ([claim, name]) => [claim, headerName(name, 'claimsToHeaders')] as const,
  );
  if (options.headerField === '') return fields;
  return [...fields, [options.usernameClaim, headerName(options.headerField, 'headerField')]];
}

class Gate {
  readonly #options: JwtOptions;
  readonly #check: TokenCheck;
  readonly #own: OwnHeaders;
  readonly #realm: string;

  constructor(options: JwtOptions, fields: readonly (readonly [string, string])[], check: TokenCheck) {
    this.#options = options;
    this.#check = check;
    this.#own = new OwnHeaders(fields.map(([, name]) => name));
    this.#realm = quotedText(headerValue(options.realm, 'realm'));
  }

  request(x: Exchange): Verdict | Promise<Verdict> {
    const token = readToken(x.headers, this.#options.cookie);
    if (token === null) return this.#refuse(x, 401, '');
    if (token === 'invalid') return this.#refuse(x, 400, 'invalid_request');
    const outcome = this.#check.of(token);
    return outcome instanceof Promise
      ? outcome.then((settled) => this.#conclude(x, settled))
      : this.#conclude(x, outcome);
  }

  #conclude(x: Exchange, outcome: Outcome): Verdict {
    if (x.ended) return ANSWERED;
    if (typeof outcome === 'object') return this.#pass(x, outcome);
    if (outcome === 'insufficient_scope') return this.#refuse(x, 403, outcome);
    if (outcome !== 'no_keys') return this.#refuse(x, 401, outcome);
    x.error = new GatewayError('auth.unreachable', 'there are no keys to verify tokens with');
    return x.answer(503, ['retry-after', '1'], 'Service Unavailable');
  }

  #pass(x: Exchange, accepted: Accepted): Verdict {
    x.username = accepted.username;
    if (this.#options.removeHeader) deleteHeader(x.headers, 'authorization');
    this.#own.clear(x.headers);
    for (const text of accepted.headers) x.headers.push(text);
    return CONTINUE;
  }

  /** RFC 6750 §3: a request without a token is told no more than how to come back. */
  #refuse(x: Exchange, status: number, error: string): Verdict {
    const told = error === '' ? '' : `, error="${error}"`;
    const scope = error === 'insufficient_scope' ? `, scope="${this.#options.scopes.join(' ')}"` : '';
    const challenge = `Bearer realm="${this.#realm}"${told}${scope}`;
    const headers: HeaderList = ['content-type', 'text/plain', 'www-authenticate', challenge];
    return x.answer(status, headers, bodies[status] as string);
  }
}

const bodies: Readonly<Record<number, string>> = {
  400: '400 Bad Request\n',
  401: '401 Unauthorized\n',
  403: '403 Forbidden\n',
};
