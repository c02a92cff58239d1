// Certificates by ACME: all resolvers, one queue of orders, one clock.

import type {
  CertificateRequest,
  CertificateStatus,
  ResolverSettings,
  WorkerChallenge,
} from '../../model/acme.ts';
import type { CertificateSpec } from '../../model/tls.ts';
import type { Log } from '../../observability/log.ts';
import { createBoard } from './board.ts';
import { isToken } from './challenge.ts';
import { oneLineOf } from './problem.ts';
import { Resolver } from './resolver.ts';
import type { AcmeStorage } from './storage.ts';
import { defaultTimes, type Times } from './times.ts';

export interface AcmeOptions {
  readonly resolvers: readonly ResolverSettings[];
  /** One storage per resolver. What it rejects with is shown; it is tried again at every look. */
  readonly openStorage: (resolver: ResolverSettings) => Promise<AcmeStorage>;
  readonly log: Log;
  /** All certificates of all resolvers, when they are others than before. */
  readonly onCertificates: (certificates: readonly CertificateSpec[]) => void;
  /** All challenges that workers must answer now; called before the authority is told, and when they are over. */
  readonly onChallenges: (challenges: readonly WorkerChallenge[]) => void;
  /** Whether certificates of files cover these names: then none is ordered. */
  readonly isCovered: (names: readonly string[]) => boolean;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly times?: Partial<Times>;
  /** Where the hook of `dnsChallenge` is named; the process's own unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Acme {
  /** Reads the storages; certificates in them are handed out at once. Never rejects. */
  start(): Promise<void>;
  /** All that is wanted now; what is no longer in it is not renewed. */
  want(requests: readonly CertificateRequest[]): void;
  /** Key authorisation of an http-01 token, whichever node has offered it; null: nobody has. Never rejects. */
  challengeAnswer(token: string): Promise<string | null>;
  status(): readonly CertificateStatus[];
  /** Ends timers, hooks and orders, in about two seconds at most. */
  close(): Promise<void>;
}

/** Orders under way at once, over all resolvers. */
const maxOrders = 3;

export function createAcme(options: AcmeOptions): Acme {
  return new Running(options);
}

class Running implements Acme {
  readonly #options: AcmeOptions;
  readonly #resolvers: readonly Resolver[];
  readonly #board: ReturnType<typeof createBoard>;
  readonly #times: Times;
  readonly #now: () => number;
  #requests: readonly CertificateRequest[] = [];
  #timer: NodeJS.Timeout | null = null;
  #orders = 0;
  #handedOut = '';
  #started = false;
  #closed = false;

  constructor(options: AcmeOptions) {
    this.#options = options;
    this.#times = { ...defaultTimes, ...options.times };
    this.#now = options.now ?? Date.now;
    this.#board = createBoard((challenges) => {
      if (!this.#closed) options.onChallenges(challenges);
    });
    this.#resolvers = options.resolvers.map(
      (settings) =>
        new Resolver({
          settings,
          openStorage: options.openStorage,
          log: options.log.child('acme'),
          board: this.#board,
          isCovered: options.isCovered,
          now: this.#now,
          times: this.#times,
          env: options.env ?? process.env,
          onChange: () => this.#changed(),
        }),
    );
  }

  async start(): Promise<void> {
    const opened = Promise.all(this.#resolvers.map((resolver) => resolver.look()));
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.#times.open)));
    await Promise.race([opened, limit]);
    clearTimeout(timer);
    this.#started = true;
    this.#changed();
  }

  want(requests: readonly CertificateRequest[]): void {
    this.#requests = requests;
    for (const resolver of this.#resolvers) {
      resolver.want(requests.filter((request) => request.resolver === resolver.name));
    }
    this.#changed();
  }

  async challengeAnswer(token: string): Promise<string | null> {
    if (!isToken(token)) return null;
    const known = this.#board.answer(token);
    if (known !== null) return known;
    for (const { storage } of this.#resolvers) {
      const found = await storage?.find(token).catch(() => null);
      if (found != null) return found;
    }
    return null;
  }

  status(): readonly CertificateStatus[] {
    const known = new Set(this.#resolvers.map(({ name }) => name));
    const lost = this.#requests.filter(({ resolver }) => !known.has(resolver));
    return [
      ...this.#resolvers.flatMap((resolver) => resolver.status()),
      ...lost.map(({ resolver, names }) => ({
        resolver,
        names,
        state: 'missing' as const,
        notAfter: null,
        renewAt: null,
        failures: 0,
        nextTry: null,
        lastError: `there is no certificates resolver \`${resolver.slice(0, 100)}\``,
      })),
    ];
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.all(this.#resolvers.map((resolver) => resolver.close()));
  }

  #changed(): void {
    if (this.#closed || !this.#started) return;
    this.#handOut();
    this.#startOrders();
    this.#schedule();
  }

  #handOut(): void {
    const certificates = new Map<string, CertificateSpec>();
    for (const resolver of this.#resolvers) {
      for (const { spec } of resolver.certificates()) certificates.set(spec.fingerprint, spec);
    }
    const fingerprints = [...certificates.keys()].sort().join();
    if (fingerprints === this.#handedOut) return;
    this.#handedOut = fingerprints;
    this.#options.onCertificates([...certificates.values()]);
  }

  /** In turn over the resolvers: one with a thousand names keeps no other waiting for all of them. */
  #startOrders(): void {
    const queues = this.#resolvers.map((resolver) => ({ resolver, due: [...resolver.due()] }));
    for (let progress = true; progress && this.#orders < maxOrders; ) {
      progress = false;
      for (const { resolver, due } of queues) {
        const want = this.#orders < maxOrders ? due.shift() : undefined;
        if (want === undefined) continue;
        progress = true;
        this.#orders += 1;
        resolver.order(want).then(
          () => this.#orderEnded(),
          (error: unknown) => {
            this.#options.log.error({ reason: oneLineOf(error) }, 'an order ended by an error of our own');
            this.#orderEnded();
          },
        );
      }
    }
  }

  #orderEnded(): void {
    this.#orders -= 1;
    this.#changed();
  }

  /** The clock is looked at after `times.check` at the latest: it may jump. */
  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const next = Math.min(...this.#resolvers.map((resolver) => resolver.nextDue()));
    const wait = this.#orders >= maxOrders ? this.#times.check : next - this.#now();
    this.#timer = setTimeout(
      () => void this.#look(),
      Math.min(this.#times.check, Math.max(wait, shortestWait)),
    );
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    await Promise.all(this.#resolvers.map((resolver) => resolver.look()));
    this.#changed();
  }
}

/** Milliseconds: what is due but must wait for something else must not spin. */
const shortestWait = 1000;
