// One set of certificates in use on uWebSockets.js: an app of its own, whose connections outlive its replacement.

import type { TemplatedApp } from 'uWebSockets.js';
import { type CertificateSpec, defaultTlsOptions } from '../../../model/tls.ts';
import type { ListenerPlan } from '../listener.ts';
import { cipherList } from './ciphers.ts';
import { uws } from './load.ts';
import { type PemFiles, withPemFiles } from './pem-files.ts';
import type { UwsRequests } from './requests.ts';

/** Names with a context of their own: about 11 KiB each. Names beyond it get the default certificate. */
const maxContexts = 10_000;
/** Spellings such as `A.TEST`, which are a client's choice; the engine tells them from `a.test`. */
const maxSpellings = 100;

/** What the engine's typings leave out. */
export type UwsApp = TemplatedApp & {
  getDescriptor(): unknown;
  addChildAppDescriptor(descriptor: unknown): void;
  removeChildAppDescriptor(descriptor: unknown): void;
};

export interface GenerationOwner {
  /** A certificate found no room: a new generation would have it again. */
  full(): void;
  /** The engine takes the default certificate or the cipher suites for nothing it knows. */
  refused(): void;
  /** The same of the certificate for a name: its clients are shown the default one. Called once at most. */
  unusable(name: string): void;
}

/** Certificates get their contexts when the first client asks for them. */
export class TlsGeneration {
  readonly app: UwsApp;
  readonly #requests: UwsRequests;
  readonly #owner: GenerationOwner;
  readonly #base: string;
  readonly #ciphers: string;
  #plan: ListenerPlan;
  /** Fingerprints, by the name the engine knows. */
  readonly #contexts = new Map<string, string>();
  #spellings = 0;
  /** Names of their own below a wildcard in `#shadowsOf`'s version: with the wildcard there, the engine asks no more. */
  #shadows: ReadonlyMap<string, readonly string[]> = new Map();
  #shadowsOf = -1;
  #connections = 0;
  #hasTold = false;

  constructor(plan: ListenerPlan, requests: UwsRequests, owner: GenerationOwner) {
    this.#plan = plan;
    this.#requests = requests;
    this.#owner = owner;
    this.#base = baseOf(plan);
    this.#ciphers = ciphersOf(plan);
    this.app = this.#makeApp(defaultOf(plan));
    this.app.filter((res, count) => {
      this.#connections += count as number;
      requests.connected?.(count as number);
      if (count === 1) requests.peers.opened(res);
    });
    this.#register();
    this.app.missingServerName((name) => this.#missing(name));
  }

  /** Connections and WebSockets that are open. */
  get connections(): number {
    return this.#connections;
  }

  /** Whether new connections are served as `plan` says; if so it is followed from now on. */
  follow(plan: ListenerPlan): boolean {
    if (baseOf(plan) !== this.#base) return false;
    const { byName } = plan.certificates;
    for (const [name, fingerprint] of this.#contexts) {
      const known = plan.certificates.nameFor(name);
      if (known === null || byName.get(known)?.fingerprint !== fingerprint) return false;
    }
    this.#plan = plan;
    for (const name of this.#contexts.keys()) this.#addShadows(name);
    return true;
  }

  /** Cuts its connections. */
  close(): void {
    this.app.close();
  }

  /**
   * Gives back what the engine holds for each name. Only long after `close`: live connections point to it. What
   * stays until the process ends is about 40 KiB.
   */
  dispose(): void {
    for (const name of this.#contexts.keys()) this.app.removeServerName(name);
    this.#contexts.clear();
  }

  #makeApp(certificate: CertificateSpec | null): UwsApp {
    // Without a certificate of its own the engine ends a handshake for a name it does not know.
    if (certificate === null) return uws.SSLApp({}) as UwsApp;
    try {
      const make = (files: PemFiles): TemplatedApp => uws.SSLApp({ ...files, ssl_ciphers: this.#ciphers });
      return withPemFiles(certificate, make) as UwsApp;
    } catch {
      this.#owner.refused();
      return uws.SSLApp({}) as UwsApp;
    }
  }

  #register(): void {
    this.#requests.register(this.app, () => {
      this.#connections -= 1;
    });
  }

  /** The engine looks for the name once more when this returns. */
  #missing(serverName: string): void {
    const { certificates } = this.#plan;
    const name = certificates.nameFor(serverName);
    const certificate = name === null ? undefined : certificates.byName.get(name);
    if (name === null || certificate === undefined) return;
    // It asks for what it has been given: it could not use it, and said nothing.
    if (this.#contexts.has(name) && (serverName === name || name.startsWith('*')) && !this.#hasTold) {
      this.#hasTold = true;
      this.#owner.unusable(name);
    }
    this.#add(name, certificate);
    this.#addShadows(name);
    if (serverName.toLowerCase() === serverName || this.#spellings >= maxSpellings) return;
    this.#spellings += 1;
    this.#add(serverName, certificate);
  }

  /** A name that is there stays as it is; one that failed is not tried again. */
  #add(name: string, certificate: CertificateSpec): void {
    if (this.#contexts.has(name)) return;
    if (this.#contexts.size >= maxContexts) {
      this.#owner.full();
      return;
    }
    this.#contexts.set(name, certificate.fingerprint);
    withPemFiles(certificate, (files) => {
      this.app.addServerName(name, { ...files, ssl_ciphers: this.#ciphers });
    });
    // Each name has a router of its own.
    this.app.domain(name);
    this.#register();
  }

  #addShadows(wildcard: string): void {
    if (!wildcard.startsWith('*')) return;
    const { certificates } = this.#plan;
    if (this.#shadowsOf !== certificates.version) {
      this.#shadows = shadowsIn(certificates.byName);
      this.#shadowsOf = certificates.version;
    }
    for (const name of this.#shadows.get(wildcard) ?? []) {
      const certificate = certificates.byName.get(name);
      if (certificate !== undefined) this.#add(name, certificate);
    }
  }
}

/** Names with another certificate than the wildcard they are below, by wildcard. */
function shadowsIn(byName: ReadonlyMap<string, CertificateSpec>): ReadonlyMap<string, readonly string[]> {
  const shadows = new Map<string, string[]>();
  for (const [name, { fingerprint }] of byName) {
    const wildcard = `*${name.slice(name.indexOf('.'))}`;
    const above = name.startsWith('*') ? undefined : byName.get(wildcard);
    if (above === undefined || above.fingerprint === fingerprint) continue;
    const names = shadows.get(wildcard);
    if (names === undefined) shadows.set(wildcard, [name]);
    else names.push(name);
  }
  return shadows;
}

/** What every connection of a generation has in common. */
function baseOf(plan: ListenerPlan): string {
  return `${defaultOf(plan)?.fingerprint ?? ''} ${ciphersOf(plan)}`;
}

/** For names without a certificate, and clients that name none; null: their handshakes fail. */
function defaultOf({ certificates, options }: ListenerPlan): CertificateSpec | null {
  return options.get('default')?.sniStrict === true ? null : certificates.fallback;
}

function ciphersOf({ options }: ListenerPlan): string {
  return cipherList(options.get('default') ?? defaultTlsOptions);
}
