// Certificates and challenges that reach workers beside the Snapshot: as they are now, and every change.

import type { WorkerChallenge } from '../model/acme.ts';
import type { ToWorker } from '../model/ipc.ts';
import type { CertificateSpec, TlsSpec } from '../model/tls.ts';

/** Challenges answered at once; the orders that run at a time need a hundred each at most. */
const maxChallenges = 1000;

export interface Certificates {
  /** What a new worker must know before it builds its first Runtime. */
  greeting(): readonly ToWorker[];
  /** Settles when there is a certificate for names that have none; at once where nothing listens for TLS. */
  prepare(tls: TlsSpec): Promise<void>;
  /** All that ACME has obtained. */
  setObtained(certificates: readonly CertificateSpec[]): void;
  setChallenges(challenges: readonly WorkerChallenge[]): void;
  /** What was set last. */
  obtained(): readonly CertificateSpec[];
}

export function createCertificates(broadcast: (message: ToWorker) => void): Certificates {
  let obtained: ReadonlyMap<string, CertificateSpec> = new Map();
  let challenges: readonly WorkerChallenge[] = [];
  let fallback: CertificateSpec | null = null;
  let making: Promise<void> | null = null;

  const make = async (): Promise<void> => {
    // Only where something listens for TLS: what makes certificates takes megabytes.
    const { selfSigned } = await import('./acme/self-made.ts');
    const made = await selfSigned([]);
    fallback = made;
    broadcast({ type: 'certificates', change: { add: [], remove: [], fallback: made } });
  };
  return {
    greeting() {
      const change = { add: [...obtained.values()], remove: [], ...(fallback === null ? {} : { fallback }) };
      return [
        { type: 'certificates', change },
        { type: 'challenges', challenges },
      ];
    },
    async prepare({ listeners }) {
      if (listeners.every(({ side }) => side === 'cleartext')) return;
      making ??= make();
      await making;
    },
    setObtained(certificates) {
      const next = new Map(certificates.map((one) => [one.fingerprint, one]));
      const add = certificates.filter(({ fingerprint }) => !obtained.has(fingerprint));
      const remove = [...obtained.keys()].filter((fingerprint) => !next.has(fingerprint));
      obtained = next;
      if (add.length + remove.length > 0) broadcast({ type: 'certificates', change: { add, remove } });
    },
    obtained: () => [...obtained.values()],
    setChallenges(list) {
      challenges = list.slice(0, maxChallenges);
      broadcast({ type: 'challenges', challenges });
    },
  };
}
