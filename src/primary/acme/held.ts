// The certificates a resolver holds, found by what they cover.

import type { CertificateSpec } from '../../model/tls.ts';
import { readCertificate } from '../../tls/certificate.ts';
import { covers, wildcardOf } from './names.ts';
import type { StoredCertificate } from './storage.ts';
import { renewalTime } from './times.ts';

export interface Held {
  readonly spec: CertificateSpec;
  readonly names: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly renewAt: number;
}

export interface Holding {
  readonly all: readonly Held[];
  /** The one that covers all names and lasts longest, run out or not; null when there is none. */
  find(names: readonly string[]): Held | null;
}

/** `problems`: why entries cannot be used, one sentence each. */
export function holdingOf(
  stored: readonly StoredCertificate[],
): Holding & { readonly problems: readonly string[] } {
  const all: Held[] = [];
  const problems: string[] = [];
  for (const { main, cert, key } of stored) {
    const read = readCertificate(cert, key);
    if (read.ok) all.push(heldOf(read.certificate));
    else problems.push(`the stored certificate of ${main.slice(0, 100)} cannot be used: ${read.problem}`);
  }
  return { ...createHolding(all), problems };
}

/** With one more, in the place of those that it covers name by name. */
export function withHeld(holding: Holding, spec: CertificateSpec): Holding {
  const key = spec.names.join();
  return createHolding([...holding.all.filter((one) => one.spec.names.join() !== key), heldOf(spec)]);
}

export function createHolding(all: readonly Held[]): Holding {
  const byName = new Map<string, Held[]>();
  for (const held of all) {
    for (const name of held.names) {
      const list = byName.get(name);
      if (list === undefined) byName.set(name, [held]);
      else list.push(held);
    }
  }
  return {
    all,
    find(names) {
      const [first] = names;
      if (first === undefined) return null;
      const wildcard = wildcardOf(first);
      const candidates = [...(byName.get(first) ?? []), ...((wildcard && byName.get(wildcard)) || [])];
      let best: Held | null = null;
      for (const held of candidates) {
        if (best !== null && held.spec.notAfter <= best.spec.notAfter) continue;
        if (names.every((name) => covers(held.names, name))) best = held;
      }
      return best;
    },
  };
}

function heldOf(spec: CertificateSpec): Held {
  return { spec, names: new Set(spec.names), renewAt: renewalTime(spec) };
}
