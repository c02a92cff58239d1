// mirroring: a service, and others that get a share of its requests once they are answered.

import type { EndTask } from '../exchange-work.ts';
import type { Exchange } from '../exchange.ts';
import { type SideRequest, sendBeside } from '../side-exchange.ts';
import { CopiedBody } from './copied-body.ts';
import type { MirrorBudget } from './mirror-budget.ts';
import type { Service } from './service.ts';

/** Bytes of a body that is mirrored where `maxBodySize` is -1; requests with longer ones are not. */
export const ownBodyBound: number = 4 * 1024 * 1024;
/** Milliseconds a mirror may take: nobody waits for it, so nobody else would end it. */
const maxMirrorTime = 60_000;

export interface Mirror {
  readonly service: Service;
  /** 0 to 100. */
  readonly percent: number;
}

export interface MirroringParts {
  readonly name: string;
  readonly main: Service;
  readonly mirrors: readonly Mirror[];
  readonly mirrorBody: boolean;
  /** Bytes; -1 is the gateway's own bound. */
  readonly maxBodySize: number;
  readonly budget: MirrorBudget;
}

interface Counted extends Mirror {
  count: number;
}

export class Mirroring implements Service {
  readonly name: string;
  readonly budget: MirrorBudget;
  readonly #main: Service;
  readonly #mirrors: readonly Counted[];
  readonly #mirrorBody: boolean;
  readonly #maxBody: number;
  #total = 0;

  constructor(parts: MirroringParts) {
    this.name = parts.name;
    this.budget = parts.budget;
    this.#main = parts.main;
    this.#mirrors = parts.mirrors.map((mirror) => ({ ...mirror, count: 0 }));
    this.#mirrorBody = parts.mirrorBody;
    this.#maxBody = parts.maxBodySize < 0 ? ownBodyBound : parts.maxBodySize;
  }

  handle(x: Exchange): void {
    // A tunnel has no end that could be repeated; another attempt is still the same request.
    if (!x.isUpgrade && !this.#isMirrored(x)) {
      const due = this.#due();
      if (due !== null) this.#plan(x, due);
    }
    this.#main.handle(x);
  }

  setServerUp(): void {}

  isUp(): boolean {
    return this.#main.isUp();
  }

  #isMirrored(x: Exchange): boolean {
    return x.endTasks?.some((task) => task instanceof MirrorTask && task.of === this) ?? false;
  }

  /** The same share of every hundred requests, whatever chance would say; null for none. */
  #due(): readonly Service[] | null {
    let due: Service[] | null = null;
    this.#total++;
    for (const mirror of this.#mirrors) {
      if (mirror.count * 100 >= this.#total * mirror.percent) continue;
      mirror.count++;
      due ??= [];
      due.push(mirror.service);
    }
    return due;
  }

  #plan(x: Exchange, due: readonly Service[]): void {
    const { body } = x;
    if (body === null || !this.#mirrorBody) {
      x.atEnd(new MirrorTask(this, x, { due, body: null, reserved: 0 }));
      return;
    }
    const bytes = body.length ?? this.#maxBody;
    if (bytes > this.#maxBody || !this.budget.takeBytes(bytes)) return;
    const copied = new CopiedBody(body, this.#maxBody);
    x.body = copied;
    x.atEnd(new MirrorTask(this, x, { due, body: copied, reserved: bytes }));
  }
}

interface Plan {
  readonly due: readonly Service[];
  readonly body: CopiedBody | null;
  /** Bytes taken from the budget. */
  readonly reserved: number;
}

class MirrorTask implements EndTask {
  readonly of: Mirroring;
  readonly #plan: Plan;
  /** As the main service got it. */
  readonly #request: Omit<SideRequest, 'body'>;
  /** Mirrors under way, and one for the start: the last one gives the bytes back. */
  #running = 1;

  constructor(of: Mirroring, x: Exchange, plan: Plan) {
    this.of = of;
    this.#plan = plan;
    const { method, path, search, authority } = x;
    this.#request = { method, path, search, authority, headers: x.headers.slice() };
  }

  run(x: Exchange): void {
    const { due, body } = this.#plan;
    const bytes = body === null ? null : body.copy;
    // A client that went away wants nothing repeated; half a body says something else than the whole.
    if (x.error?.code !== 'client.gone' && (body === null || bytes !== null)) {
      for (const service of due) this.#start(x, service, bytes);
    }
    this.#finished();
  }

  #start(x: Exchange, service: Service, body: Uint8Array | null): void {
    const { budget } = this.of;
    if (!budget.takeMirror()) return;
    this.#running++;
    let timer: NodeJS.Timeout | null = null;
    let isDone = false;
    const done = (): void => {
      isDone = true;
      if (timer !== null) clearTimeout(timer);
      budget.giveMirror();
      this.#finished();
    };
    const request = { ...this.#request, headers: this.#request.headers.slice(), body };
    const call = sendBeside(x, service, request, done);
    if (isDone) return;
    timer = setTimeout(() => call.cancel(), maxMirrorTime);
    timer.unref();
  }

  #finished(): void {
    this.#running--;
    if (this.#running === 0) this.of.budget.giveBytes(this.#plan.reserved);
  }
}
