// The open listeners of a worker: opened as the Snapshot says, told of changes, replaced when engine or side change.

import type { WorkerChallenge } from '../model/acme.ts';
import { type CertificateChange, defaultTlsOptions, type ListenerSpec, type TlsSpec } from '../model/tls.ts';
import type { Log } from '../observability/log.ts';
import { CertificateStore } from '../tls/store.ts';
import { messageOf } from '../util/message-of.ts';
import { Descriptors } from './descriptors.ts';
import { ClientDemands } from './entrypoints/client-demands.ts';
import type { EntryPoint } from './entrypoints/entry-point.ts';
import type { Listener, ListenerHost, ListenerPlan } from './entrypoints/listener.ts';
import { listenUws } from './entrypoints/uws/listener.ts';

/** Replaced listeners of one entry point that still serve connections; the oldest is cut when there are more. */
const maxRetired = 8;

/** One entry point: what listens for it now, and what did before. */
interface Place {
  readonly entryPoint: EntryPoint;
  plan: ListenerPlan;
  /** Of `plan`. */
  demands: ClientDemands;
  current: Open | null;
  readonly retired: Open[];
}

interface Open {
  readonly listener: Listener;
  /** How it was opened, whatever has been wanted since. */
  readonly spec: Pick<ListenerSpec, 'engine' | 'side'>;
  readonly retire: () => void;
}

export class Listeners {
  readonly #host: ListenerHost;
  readonly #log: Log;
  readonly #certificates = new CertificateStore();
  readonly #places: readonly Place[];
  #tls: TlsSpec | null = null;
  #challenges: readonly WorkerChallenge[] = [];
  /** From the first open listener on. */
  #descriptors: Descriptors | null = null;
  #isOpen = false;
  /** Nothing more is accepted. */
  #isClosed = false;
  /** Every connection was cut. */
  #isOver = false;
  /** Replacements run one after the other. */
  #replacing: Promise<void> = Promise.resolve();

  constructor(entryPoints: readonly EntryPoint[], host: ListenerHost, log: Log) {
    this.#host = host;
    this.#log = log;
    this.#places = entryPoints.map((entryPoint) => {
      const plan = this.#planFor(entryPoint);
      return { entryPoint, plan, demands: demandsOf(plan), current: null, retired: [] };
    });
  }

  /** The port each entry point got. Rejects with the entry point's name as `entryPoint` of the error. */
  async open(): Promise<Readonly<Record<string, number>>> {
    const ports: Record<string, number> = {};
    for (const place of this.#places) {
      const { name } = place.entryPoint;
      place.current = await this.#listen(place).catch((error: Error) => {
        throw Object.assign(error, { entryPoint: name });
      });
      ports[name] = place.current.listener.port;
    }
    this.#isOpen = true;
    this.#descriptors = new Descriptors(this.#log);
    return ports;
  }

  /** Of the Snapshot that runs from now on. */
  configure(tls: TlsSpec): void {
    if (tls === this.#tls) return;
    this.#tls = tls;
    this.#certificates.configure(tls);
    this.#update();
  }

  setCertificates(change: CertificateChange): void {
    this.#certificates.change(change);
    this.#update();
  }

  setChallenges(challenges: readonly WorkerChallenge[]): void {
    this.#challenges = challenges;
    this.#update();
  }

  stopAccepting(): void {
    this.#isClosed = true;
    for (const { current } of this.#places) current?.listener.stopAccepting();
  }

  close(): void {
    this.#isClosed = true;
    this.#isOver = true;
    this.#descriptors?.close();
    for (const { current, retired } of this.#places) {
      current?.listener.close();
      for (const { listener } of retired) listener.close();
    }
  }

  #update(): void {
    for (const place of this.#places) {
      place.plan = this.#planFor(place.entryPoint);
      // At once: a listener that could ask for certificates may not be open yet, or never open.
      place.demands = demandsOf(place.plan);
      if (place.current === null || this.#isClosed) continue;
      // Not what was wanted before: opening that may have failed, or be under way.
      if (isAs(place.current, place.plan)) place.current.listener.update(place.plan);
      else this.#replacing = this.#replacing.then(() => this.#replace(place));
    }
  }

  /** The new one listens on the same port before the old one stops accepting; connections end on the old one. */
  async #replace(place: Place): Promise<void> {
    if (this.#isClosed || !this.#isOpen) return;
    if (place.current !== null && isAs(place.current, place.plan)) {
      place.current.listener.update(place.plan);
      return;
    }
    const { name } = place.entryPoint;
    const { engine, side } = place.plan.spec;
    try {
      const opened = await this.#listen(place);
      await queueTaken();
      // Meanwhile the version that wanted it may have been taken back; what is wanted now is the one there is, or waits
      // for its turn.
      const isWanted = !this.#isClosed && isAs(opened, place.plan);
      this.#retire(place, isWanted ? place.current : opened);
      if (!isWanted) return;
      place.current = opened;
      this.#log.info({ entryPoint: name, engine, side }, 'listens in another way');
    } catch (error) {
      const reason = messageOf(error);
      this.#log.error({ entryPoint: name, engine, side, reason }, 'cannot listen in another way');
    }
  }

  /** Its connections go on. */
  #retire(place: Place, open: Open | null): void {
    if (open === null) return;
    open.retire();
    place.retired.push(open);
    if (this.#isOver) open.listener.close();
    else if (place.retired.length > maxRetired) place.retired.shift()?.listener.close();
  }

  async #listen(place: Place): Promise<Open> {
    const { plan } = place;
    const port = place.current?.listener.port ?? place.entryPoint.spec.port;
    const entryPoint = { ...place.entryPoint, spec: { ...place.entryPoint.spec, port } };
    let isRetired = false;
    const host: ListenerHost = {
      serve: this.#host.serve,
      refused: this.#host.refused,
      managedNames: () => this.#host.managedNames(),
      warn: (message) => this.#log.warn({ entryPoint: entryPoint.name }, message),
      bootSecret: this.#host.bootSecret,
      demands: () => place.demands,
      ...(entryPoint.connected === undefined ? {} : { connected: entryPoint.connected }),
      isDraining: () => isRetired || this.#host.isDraining(),
    };
    const listener = await open(entryPoint, host, plan);
    // What came while it opened.
    if (place.plan !== plan && isAs(plan, place.plan)) listener.update(place.plan);
    const retire = (): void => {
      isRetired = true;
      listener.stopAccepting();
    };
    return { listener, spec: plan.spec, retire };
  }

  #planFor({ name, spec }: EntryPoint): ListenerPlan {
    const tls = this.#tls;
    const engine = spec.engine === 'auto' ? 'uws' : spec.engine;
    const plain: ListenerSpec = { entryPoint: name, engine, side: 'cleartext', hosts: [] };
    return {
      spec: tls?.listeners.find(({ entryPoint }) => entryPoint === name) ?? plain,
      certificates: this.#certificates,
      options: new Map((tls?.options ?? [defaultTlsOptions]).map((one) => [one.name, one])),
      alpnChallenges: new Map(
        this.#challenges.flatMap((one) => (one.kind === 'tls-alpn-01' ? [[one.domain, one] as const] : [])),
      ),
    };
  }
}

/** Where the uws engine is to serve, routers whose options ask for a certificate are broken, and say so themselves. */
function demandsOf({ spec, options }: ListenerPlan): ClientDemands {
  return new ClientDemands(spec.hosts, spec.engine === 'uws' ? new Map() : options);
}

/**
 * What had come to the old socket while the new one opened is reset with it, unless it is accepted before: one whole
 * turn of the event loop does that, and then there is next to no time for more to come.
 */
async function queueTaken(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function isAs(one: Pick<Open, 'spec'>, { spec }: ListenerPlan): boolean {
  return one.spec.engine === spec.engine && one.spec.side === spec.side;
}

async function open(entryPoint: EntryPoint, host: ListenerHost, plan: ListenerPlan): Promise<Listener> {
  if (plan.spec.engine === 'uws') return listenUws(entryPoint, host, plan);
  // Only where it is wanted: Node's HTTP servers cost each worker some MB.
  const { listenNode } = await import('./entrypoints/node/listener.ts');
  return listenNode(entryPoint, host, plan);
}
