// The challenges that are to be answered now: by this node's workers, whichever node has offered them.

import type { Challenge, WorkerChallenge } from '../../model/acme.ts';
import { challengeName } from './challenge.ts';
import { alpnCertificate } from './self-made.ts';
import type { AcmeStorage } from './storage.ts';

export interface Board {
  /** Resolves when the workers have been told. */
  show(challenge: Challenge, storage: AcmeStorage): Promise<void>;
  /** Never rejects. */
  hide(challenge: Challenge, storage: AcmeStorage): Promise<void>;
  /** What all nodes offer in this storage. */
  setOffered(storage: AcmeStorage, challenges: readonly Challenge[]): Promise<void>;
  /** Key authorisation of a token this node knows of. */
  answer(token: string): string | null;
}

/** As many as workers take. */
const maxShown = 1000;

export function createBoard(onChallenges: (challenges: readonly WorkerChallenge[]) => void): Board {
  const own = new Map<string, Challenge>();
  const offered = new Map<AcmeStorage, readonly Challenge[]>();
  const forms = createWorkerForms();
  let told = '';
  let telling: Promise<void> = Promise.resolve();

  const all = (): Map<string, Challenge> => {
    const found = new Map(own);
    for (const challenge of [...offered.values()].flat()) {
      if (found.size >= maxShown) break;
      found.set(challengeName(challenge), challenge);
    }
    return found;
  };
  const tell = async (): Promise<void> => {
    const current = all();
    forms.retain(current);
    const names = [...current.keys()].sort().join('\n\n');
    if (names === told) return;
    const making = [...current].map(([name, challenge]) => forms.of(name, challenge));
    // Another node may offer what no certificate can be made for: that keeps nobody else's from being shown.
    const list = await Promise.allSettled(making);
    told = names;
    onChallenges(list.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])));
  };
  /** One after the other: the last list told is the newest. */
  const tellInTurn = (): Promise<void> => {
    const turn = telling.then(tell);
    telling = turn.catch(() => undefined);
    return turn;
  };

  return {
    async show(challenge, storage) {
      own.set(challengeName(challenge), challenge);
      await Promise.all([storage.offer(challenge), tellInTurn()]);
    },
    async hide(challenge, storage) {
      own.delete(challengeName(challenge));
      // It is forgotten after ten minutes by itself.
      await Promise.allSettled([storage.withdraw(challenge), tellInTurn()]);
    },
    setOffered(storage, challenges) {
      offered.set(storage, challenges);
      return tellInTurn();
    },
    answer(token) {
      for (const challenge of all().values()) {
        if (challenge.kind === 'http-01' && challenge.token === token) return challenge.keyAuthorization;
      }
      return null;
    },
  };
}

interface WorkerForms {
  /** As workers answer it; rejects when no certificate can be made for it. */
  of(name: string, challenge: Challenge): Promise<WorkerChallenge>;
  /** Forgets all others. */
  retain(names: ReadonlyMap<string, unknown>): void;
}

/** Certificates that answer tls-alpn-01 are made once each. */
function createWorkerForms(): WorkerForms {
  // As many as are shown: `retain` is called with every change.
  const made = new Map<string, Promise<WorkerChallenge>>();
  return {
    async of(name, challenge) {
      if (challenge.kind === 'http-01') {
        const { kind, token, keyAuthorization } = challenge;
        return { kind, token, keyAuthorization };
      }
      const known = made.get(name);
      if (known !== undefined) return known;
      const { kind, domain, keyAuthorization } = challenge;
      const making = alpnCertificate(domain, keyAuthorization).then((pair) => ({ kind, domain, ...pair }));
      made.set(name, making);
      return making;
    },
    retain(names) {
      for (const name of made.keys()) if (!names.has(name)) made.delete(name);
    },
  };
}
