// forwardAuth: asks an auth server whether a request may go on, once per request, or, with `cache`, once per
// token and place.

import { hash } from 'node:crypto';
import type { SharedDecisions } from '../../state/decisions.ts';
import { GatewayError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { hasHeader } from '../headers.ts';
import { ANSWERED, CONTINUE, type Hooks, type Verdict } from '../hooks.ts';
import { type BuildDeps, defineMiddleware } from './define.ts';
import { Asker, type Keeping, type Outcome, type QuestionText } from './forward-auth/asker.ts';
import { type Allow, applyDecision, applyToResponse, type Decision } from './forward-auth/auth-answer.ts';
import { AuthRequest } from './forward-auth/auth-request.ts';
import { AuthCache } from './forward-auth/cache.ts';
import { CacheKey } from './forward-auth/cache-key.ts';
import { CachedAuth } from './forward-auth/cached-auth.ts';
import { type AuthFigures, keepFigures } from './forward-auth/figures.ts';
import { Identity } from './forward-auth/identity.ts';
import { type ForwardAuthOptions, forwardAuthSchema } from './forward-auth/options.ts';
import { askForOne, type Conclude } from './forward-auth/own-question.ts';
import { withPemFiles } from './forward-auth/pem-files.ts';
import { SharedLevel } from './forward-auth/shared-level.ts';
import { Tagger } from './forward-auth/tags.ts';

export const forwardAuth = defineMiddleware({
  kind: 'forwardAuth',
  summary: 'Asks an auth server whether a request may go on, and may keep its answers for a while.',
  schema: forwardAuthSchema,
  withFiles(options, readFile) {
    return options.tls === undefined ? options : { ...options, tls: withPemFiles(options.tls, readFile) };
  },
  build(options, deps): Hooks {
    const tls = options.tls ?? null;
    const identity = new Identity(options);
    const client = deps.authClients.get({ address: options.address, tls });
    const request = new AuthRequest(options);
    const keeping = buildKeeping(options, deps, request);
    const figures = keepFigures(deps);
    const asker = new Asker(options, client, identity, figures);
    const cached = keeping === null ? null : new CachedAuth(asker, keeping, options.timeout);
    const slot = deps.slot();
    return new ForwardAuth({ options, identity, request, asker, cached, keeping, figures, slot }).hooks();
  },
});

/** Bytes of a request's body held in memory for the auth server, whatever maxBodySize says. */
const hardBodyLimit = 10 * 1024 * 1024;

interface Parts {
  readonly options: ForwardAuthOptions;
  readonly identity: Identity;
  readonly request: AuthRequest;
  readonly asker: Asker;
  readonly cached: CachedAuth | null;
  readonly keeping: Keeping | null;
  /** Null: nothing is counted. */
  readonly figures: AuthFigures | null;
  readonly slot: number;
}

class ForwardAuth {
  readonly #parts: Parts;
  readonly #concludes: Conclude = (x, outcome) => this.#conclude(x, outcome);

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  hooks(): Hooks {
    const { options, slot } = this.#parts;
    const request = (x: Exchange) => this.#request(x);
    const touchesResponse =
      options.addAuthCookiesToResponse.length + options.authClientResponseHeaders.length > 0;
    if (!touchesResponse) return { request };
    const response = (x: Exchange) => {
      const allow = x.fact<Allow>(slot);
      if (allow !== undefined) applyToResponse(x, allow);
    };
    return { request, response };
  }

  #request(x: Exchange): Verdict | Promise<Verdict> {
    const { options, cached, keeping, identity, figures } = this.#parts;
    if (options.skipPreflight && isPreflight(x)) {
      identity.clear(x.headers);
      return CONTINUE;
    }
    if (options.forwardBody && x.body !== null) return this.#askWithBody(x);
    if (cached === null || keeping === null || keeping.key.isBlindTo(x)) return this.#askAlone(x, null);
    const key = keeping.key.of(x);
    const now = performance.now();
    const entry = cached.find(key, now);
    if (figures !== null) x.authTimes = entry === null ? figures.miss : figures.hit;
    if (entry === null) return this.#askCached(x, key, cached);
    if (now >= entry.refreshAt) cached.refresh(key, entry, this.#text(x, null));
    return this.#apply(x, entry.decision);
  }

  async #askCached(x: Exchange, key: string, cached: CachedAuth): Promise<Verdict> {
    return this.#conclude(x, await cached.ask(x, key, this.#text(x, null)));
  }

  #askAlone(x: Exchange, body: Uint8Array | null): Promise<Verdict> {
    const { asker, figures } = this.#parts;
    if (figures !== null) x.authTimes = figures.none;
    return askForOne(x, this.#text(x, body), asker, this.#concludes);
  }

  async #askWithBody(x: Exchange): Promise<Verdict> {
    const { maxBodySize } = this.#parts.options;
    const limit = maxBodySize < 0 ? hardBodyLimit : Math.min(maxBodySize, hardBodyLimit);
    let body: Uint8Array | null | undefined;
    try {
      body = await x.body?.collect(limit);
    } catch (error) {
      return this.#fail(x, new GatewayError('client.gone', 'while its body was read', error));
    }
    if (body === null) return x.answer(401, [], '');
    return this.#askAlone(x, body ?? null);
  }

  #conclude(x: Exchange, outcome: Outcome): Verdict {
    if (x.ended || x.downstream.aborted) return this.#fail(x, new GatewayError('client.gone'));
    if (outcome.decision !== null) return this.#apply(x, outcome.decision);
    return this.#fail(x, outcome.error ?? new GatewayError('auth.unreachable'));
  }

  #apply(x: Exchange, decision: Decision): Verdict {
    const { identity, slot } = this.#parts;
    identity.clear(x.headers);
    if (decision.allow && decision.client.length + decision.cookies.length > 0) x.keepFact(slot, decision);
    return applyDecision(x, decision);
  }

  /** Whatever happened, the request does not go on. */
  #fail(x: Exchange, error: GatewayError): Verdict {
    // The client went away and the end of the Exchange has said so already.
    if (x.ended) return ANSWERED;
    // An error page is asked for with what is left: nothing in it may pass for the auth server's word.
    this.#parts.identity.clear(x.headers);
    x.error = error;
    const status = error.code === 'client.gone' ? error.status : this.#parts.options.statusOnError;
    return x.answer(status, [], '');
  }

  #text(x: Exchange, body: Uint8Array | null): QuestionText {
    const { request } = this.#parts;
    return { method: request.method(x), headers: request.headers(x), body, trace: x.trace };
  }
}

function buildKeeping(options: ForwardAuthOptions, deps: BuildDeps, request: AuthRequest): Keeping | null {
  if (options.cache === undefined) return null;
  const narrow = options.cache.key;
  const optionsHash = hashOf(options);
  const decisions = options.cache.shared ? sharedDecisions(deps) : null;
  const secret = decisions?.secret ?? deps.bootSecret;
  const tagger = new Tagger(secret);
  const level = decisions === null ? '' : ':shared';
  const { cache } = deps.keep(`auth-cache:${deps.name}:${optionsHash}${level}`, () =>
    createKept(options, deps, tagger),
  );
  const { name } = deps;
  const scope = { name, optionsHash, address: options.address, bootSecret: secret, narrow };
  const key = new CacheKey(scope, request);
  const shared = decisions === null ? null : new SharedLevel(decisions, tagger);
  const credentialNames = narrow
    .filter((entry) => entry.startsWith('header:'))
    .map((entry) => entry.slice('header:'.length).toLowerCase());
  return { cache, key, tagger, shared, options: options.cache, credentialNames };
}

/**
 * Without the gateway's own certificate, which is renewed, and which each node may have another of: what was decided
 * stays, and nodes go on sharing it. Not so without the authorities: they are whose decisions these are.
 */
function hashOf(options: ForwardAuthOptions): string {
  const { tls } = options;
  const asked = tls === undefined ? options : { ...options, tls: { ...tls, cert: null, key: null } };
  return hash('sha256', JSON.stringify(asked), 'hex');
}

function sharedDecisions(deps: BuildDeps): SharedDecisions | null {
  const { decisions = null } = deps;
  if (decisions !== null) return decisions;
  deps.keep(`auth-cache-alone:${deps.name}`, () => {
    deps.log.warn(
      `${deps.name}: cache.shared needs state.redis and state.secret; this node keeps its decisions for itself`,
    );
    return { close: () => {} };
  });
  return null;
}

function createKept(options: ForwardAuthOptions, deps: BuildDeps, tagger: Tagger) {
  const { authCaches, name } = deps;
  const cache = new AuthCache(options.cache?.maxEntries ?? 1, tagger);
  authCaches.add(name, cache);
  const close = (): void => {
    // A request of a Runtime that is gone may still wait here, where no purge will reach it any more.
    cache.purge({ by: 'all' });
    authCaches.remove(cache);
  };
  return { cache, close };
}

function isPreflight(x: Exchange): boolean {
  // Browsers send none with a body or to switch protocols: such a one is for the server, not about CORS.
  if (x.method !== 'OPTIONS' || x.body !== null || x.isUpgrade) return false;
  return hasHeader(x.headers, 'origin') && hasHeader(x.headers, 'access-control-request-method');
}
