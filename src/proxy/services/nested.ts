// weighted and highestRandomWeight: services that hand each Exchange to one of others.

import type { ChildSpec, StickyCookieSpec } from '../../model/snapshot.ts';
import { GatewayError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { fail } from '../pipeline.ts';
import type { Choice, Picker } from './picker.ts';
import type { Service } from './service.ts';
import { StickyCookie } from './sticky-cookie.ts';
import { type Seated, type StickyHeader, whenSeated } from './sticky-header.ts';

/** A service as one of those another is made of. */
export class Child implements Choice {
  readonly key: string;
  readonly weight: number;
  readonly service: Service;
  readonly #followsHealth: boolean;

  /** `followsHealth` false: it is picked whatever its health. */
  constructor(spec: ChildSpec, service: Service, followsHealth: boolean) {
    this.key = spec.written;
    this.weight = spec.weight;
    this.service = service;
    this.#followsHealth = followsHealth;
  }

  get up(): boolean {
    return !this.#followsHealth || this.service.isUp();
  }

  get keeps(): boolean {
    return this.up || this.service.keepsSessions?.() === true;
  }
}

export interface SharedParts {
  readonly name: string;
  /** Those with a weight above 0. */
  readonly children: readonly Child[];
  readonly picker: Picker<Child>;
  readonly sticky: StickyCookieSpec | null;
  /** Null: no header leads to a child. */
  readonly header: StickyHeader<Child> | null;
}

export class SharedService implements Service, Seated<Child> {
  readonly name: string;
  readonly #children: readonly Child[];
  readonly #picker: Picker<Child>;
  readonly #sticky: StickyCookie<Child> | null;
  readonly #header: StickyHeader<Child> | null;

  constructor({ name, children, picker, sticky, header }: SharedParts) {
    this.name = name;
    this.#children = children;
    this.#picker = picker;
    this.#sticky = sticky === null ? null : new StickyCookie(sticky, children);
    this.#header = header;
  }

  handle(x: Exchange): void {
    const header = this.#header;
    if (header === null) {
      this.#give(x, this.#pick(x));
      return;
    }
    const id = header.idIn(x.headers);
    if (id !== null) {
      whenSeated(x, header.seat(x, id, this), this);
      return;
    }
    const child = this.#pick(x);
    if (child !== null) header.begin(x, child);
    this.#give(x, child);
  }

  seated(x: Exchange, child: Child | null): void {
    this.#give(x, child);
  }

  setServerUp(): void {}

  isUp(): boolean {
    return this.#children.some(({ service }) => service.isUp());
  }

  keepsSessions(): boolean {
    return this.#children.some(({ service }) => service.isUp() || service.keepsSessions?.() === true);
  }

  #give(x: Exchange, child: Child | null): void {
    if (child === null) fail(x, new GatewayError('service.no_server'));
    else child.service.handle(x);
  }

  #pick(x: Exchange): Child | null {
    return this.#sticky === null ? this.#picker.pick(x) : this.#sticky.choose(x, this.#picker);
  }
}
