// Certificates by ACME put together: resolvers, where they remember things, and what workers get of them.

import type { CertificateRequest, CertificateStatus, ResolverSettings } from '../model/acme.ts';
import type { ApiAnswer } from '../model/ipc.ts';
import type { TlsSpec } from '../model/tls.ts';
import type { Log } from '../observability/log.ts';
import { CertificateStore } from '../tls/store.ts';
import type { Acme } from './acme/acme.ts';
import type { AcmeStorage } from './acme/storage.ts';
import type { Certificates } from './certificates.ts';
import type { RedisLink } from './redis-link.ts';

export interface ObtainOptions {
  readonly resolvers: readonly ResolverSettings[];
  /** Stays open. Null: without Redis. */
  readonly redis: RedisLink | null;
  readonly certificates: Certificates;
  readonly log: Log;
}

export interface Obtain {
  /** Certificates that are stored are handed out; what is wanted is ordered from then on. Never rejects. */
  start(): Promise<void>;
  /** What the configuration in force wants, and which certificates it brings itself. */
  want(requests: readonly CertificateRequest[], tls: TlsSpec): void;
  /** To a worker that does not know the token: another node may have offered it. */
  answer(target: string): Promise<ApiAnswer>;
  status(): readonly CertificateStatus[];
  close(): Promise<void>;
}

export function createObtain(options: ObtainOptions): Obtain {
  // The protocol's libraries take megabytes: most gateways need none of them.
  return options.resolvers.length === 0 ? nothing : new Obtaining(options);
}

const notFound: ApiAnswer = { status: 404, headers: [], body: '' };

const nothing: Obtain = {
  start: () => Promise.resolve(),
  want: () => {},
  answer: () => Promise.resolve(notFound),
  status: () => [],
  close: () => Promise.resolve(),
};

class Obtaining implements Obtain {
  readonly #options: ObtainOptions;
  readonly #configured = new CertificateStore();
  #requests: readonly CertificateRequest[] = [];
  #acme: Acme | null = null;

  constructor(options: ObtainOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { resolvers, certificates, log } = this.#options;
    const { createAcme } = await import('./acme/acme.ts');
    const acme = createAcme({
      resolvers,
      log,
      openStorage: (resolver) => this.#openStorage(resolver),
      onCertificates: (list) => certificates.setObtained(list),
      onChallenges: (list) => certificates.setChallenges(list),
      isCovered: (names) => names.every((name) => this.#isConfigured(name)),
    });
    this.#acme = acme;
    await acme.start();
    acme.want(this.#requests);
  }

  want(requests: readonly CertificateRequest[], tls: TlsSpec): void {
    this.#requests = requests;
    this.#configured.configure(tls);
    this.#acme?.want(requests);
  }

  async answer(target: string): Promise<ApiAnswer> {
    const token = target.slice(target.lastIndexOf('/') + 1);
    const body = (await this.#acme?.challengeAnswer(token)) ?? null;
    return body === null ? notFound : { status: 200, headers: [], body };
  }

  status(): readonly CertificateStatus[] {
    return this.#acme?.status() ?? [];
  }

  async close(): Promise<void> {
    await this.#acme?.close();
  }

  async #openStorage(resolver: ResolverSettings): Promise<AcmeStorage> {
    const { redis, log } = this.#options;
    const { openFileStorage } = await import('./acme/storage-file.ts');
    if (redis === null) return openFileStorage(resolver.storage, resolver.name);
    const { openRedisStorage } = await import('./acme/storage-redis.ts');
    return openRedisStorage(await redis.open(), resolver, log, {
      async importState() {
        const file = await openFileStorage(resolver.storage, resolver.name);
        const state = await file.load();
        await file.close();
        return state;
      },
    });
  }

  #isConfigured(name: string): boolean {
    const found = this.#configured.find(name);
    return found !== null && found.notAfter > Date.now();
  }
}
