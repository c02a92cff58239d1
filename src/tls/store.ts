// The certificates of a worker, found by the name a client asks for.

import type { CertificateChange, CertificateSpec, TlsSpec } from '../model/tls.ts';
import { wildcardAbove } from './wildcard.ts';

/** Certificates by ACME kept at once; the primary serves no more names than that. */
const maxObtained = 10_000;

/** As large as the configuration, and 10,000 certificates by ACME at most. */
export class CertificateStore {
  #configured: readonly CertificateSpec[] = [];
  #default: CertificateSpec | null = null;
  #defaultNames: readonly string[] | undefined;
  #fallback: CertificateSpec | null = null;
  readonly #obtained = new Map<string, CertificateSpec>();
  /** Best certificate of each name, wildcards under `*.example.com`. */
  #byName: ReadonlyMap<string, CertificateSpec> = new Map();
  #version = 0;

  /** Counts up when another certificate may be found than before. */
  get version(): number {
    return this.#version;
  }

  /** Best certificate of each name; wildcards under `*.example.com`. */
  get byName(): ReadonlyMap<string, CertificateSpec> {
    return this.#byName;
  }

  /** For names without a certificate, and clients that name none; null only before the primary has sent one. */
  get fallback(): CertificateSpec | null {
    return this.#default ?? this.#obtainedDefault() ?? this.#fallback;
  }

  /** Those of the configuration. */
  configure({
    certificates,
    defaultCertificate,
    defaultNames,
  }: Pick<TlsSpec, 'certificates' | 'defaultCertificate' | 'defaultNames'>): void {
    if (
      certificates === this.#configured &&
      defaultCertificate === this.#default &&
      defaultNames === this.#defaultNames
    )
      return;
    this.#defaultNames = defaultNames;
    this.#configured = certificates;
    this.#default = defaultCertificate;
    this.#index();
  }

  change({ add, remove, fallback }: CertificateChange): void {
    for (const fingerprint of remove) this.#obtained.delete(fingerprint);
    for (const certificate of add) {
      if (this.#obtained.size >= maxObtained) break;
      this.#obtained.set(certificate.fingerprint, certificate);
    }
    if (fallback !== undefined) this.#fallback = fallback;
    this.#index();
  }

  /** Of the exact name, else of the wildcard one label above; null when there is none. */
  find(serverName: string): CertificateSpec | null {
    const name = this.nameFor(serverName);
    return name === null ? null : (this.#byName.get(name) ?? null);
  }

  /** Under which name of `byName` a server's name is found: its own, else the wildcard one label above. */
  nameFor(serverName: string): string | null {
    const name = serverName.toLowerCase();
    if (this.#byName.has(name)) return name;
    const wildcard = wildcardAbove(name);
    return wildcard !== null && this.#byName.has(wildcard) ? wildcard : null;
  }

  /** The one that was ordered for the default store, once it is there. */
  #obtainedDefault(): CertificateSpec | null {
    const main = this.#defaultNames?.[0];
    return main === undefined ? null : this.find(main);
  }

  #index(): void {
    const byName = new Map<string, CertificateSpec>();
    for (const certificate of this.#obtained.values()) addBest(byName, certificate);
    const obtained = new Map(byName);
    for (const certificate of this.#configured) {
      // What the operator has put there wins over what was obtained, unless it has run out.
      for (const name of certificate.names) if (byName.get(name) === obtained.get(name)) byName.delete(name);
      addBest(byName, certificate);
    }
    for (const [name, certificate] of obtained) {
      const chosen = byName.get(name);
      if (chosen === undefined || isOver(chosen)) byName.set(name, certificate);
    }
    this.#byName = byName;
    this.#version += 1;
  }
}

/** Of several for one name, the one that lasts longest. */
function addBest(byName: Map<string, CertificateSpec>, certificate: CertificateSpec): void {
  for (const name of certificate.names) {
    const other = byName.get(name);
    const isBetter =
      other === undefined ||
      certificate.notAfter > other.notAfter ||
      (certificate.notAfter === other.notAfter && certificate.fingerprint < other.fingerprint);
    if (isBetter) byName.set(name, certificate);
  }
}

function isOver({ notAfter }: CertificateSpec): boolean {
  return notAfter < Date.now();
}
