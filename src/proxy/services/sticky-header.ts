// Sessions that a server names in a header of its answers: whoever sends that header again gets to the same server,
// through any worker and any node.

import { hash } from 'node:crypto';
import type { StickyHeaderSpec } from '../../model/snapshot.ts';
import type { Sessions, SessionSpace } from '../../state/sessions.ts';
import { GatewayError } from '../errors.ts';
import type { AnswerNote } from '../exchange-work.ts';
import type { Exchange } from '../exchange.ts';
import { fail, failWithBug } from '../pipeline.ts';
import { HighestRandomWeight } from './highest-random-weight.ts';
import type { Choice } from './picker.ts';
import type { Service } from './service.ts';

/** What a gateway's sessions are kept in, and what happens when that cannot be asked. */
export interface SessionRoom {
  readonly sessions: Sessions;
  /** Leads every digest: the same wherever the table is shared, so that who reads the table learns no id. */
  readonly salt: string;
  /** Requests whose session cannot be looked up are refused; else they go where all workers would send them. */
  readonly refuses: boolean;
  /** What serves in the place of `owner` since a newer configuration runs, if `x` may go there; else null. */
  readonly newer?: (owner: Service, x: Exchange) => Service | null;
}

/** Characters of an id; a longer one leads nowhere. */
const maxId = 512;
const keyLength = 32;

/** Null: there is nothing up to send it to. An error is the answer. `Newer`: another service goes on with it. */
export type Seat<T> = T | GatewayError | Newer | null;

/** Knows servers that the one which was asked does not know. */
export class Newer {
  readonly service: Service;

  constructor(service: Service) {
    this.service = service;
  }
}

/** The service whose sessions they are. */
export interface Seated<T> extends Service {
  seated(x: Exchange, choice: T | null): void;
}

/** Goes on with `x` where its session leads, now or once that is known. */
export function whenSeated<T>(x: Exchange, seat: Seat<T> | Promise<Seat<T>>, service: Seated<T>): void {
  if (!(seat instanceof Promise)) {
    if (seat instanceof GatewayError) fail(x, seat);
    else if (seat instanceof Newer) seat.service.handle(x);
    else service.seated(x, seat);
    return;
  }
  seat
    .then((found) => {
      if (!x.ended) whenSeated(x, found, service);
    })
    .catch((error: unknown) => failWithBug(x, error));
}

export class StickyHeader<T extends Choice> {
  readonly space: SessionSpace;
  readonly #name: string;
  readonly #isRefusing: boolean;
  readonly #room: SessionRoom;
  readonly #choices: ReadonlyMap<string, T>;
  readonly #anywhere: HighestRandomWeight<T>;

  /** `service`: its qualified name; sessions of two services never mix. */
  constructor(service: string, spec: StickyHeaderSpec, choices: readonly T[], room: SessionRoom) {
    this.space = { space: hash('sha256', `${service}\n${spec.name}`).slice(0, 16), ttl: spec.ttl };
    this.#name = spec.name;
    this.#isRefusing = spec.onLost === '404';
    this.#room = room;
    this.#choices = new Map(choices.map((choice) => [choice.key, choice]));
    this.#anywhere = new HighestRandomWeight(choices);
  }

  /** The id a request or an answer names; null for none, empty for one that cannot be. */
  idIn(headers: readonly string[]): string | null {
    let id: string | null = null;
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i] !== this.#name) continue;
      const value = headers[i + 1] as string;
      if (id !== null && id !== value) return '';
      id = value;
    }
    return id === null || isId(id) ? id : '';
  }

  /** For a request that names no session: its answer may begin one. */
  begin(x: Exchange, choice: T): void {
    x.noteAnswer(new SessionNote(this, choice, null, false));
  }

  /** `id` as `idIn` says it, of a request to `owner`. At once when this worker knows the session. */
  seat(x: Exchange, id: string, owner: Service | null = null): Seat<T> | Promise<Seat<T>> {
    if (id === '') return this.#lost(x, null, false);
    const { sessions } = this.#room;
    const key = this.#keyOf(id);
    const target = sessions.find(this.space, key);
    if (target instanceof Promise) return this.#later(x, key, target, owner);
    const choice = target === null ? undefined : this.#choices.get(target);
    if (choice?.keeps === true) return this.#follow(x, key, choice);
    if (target === null) return this.#lost(x, key, false);
    // Another worker may have found it a new place already.
    return this.#later(x, key, sessions.confirm(this.space, key), owner);
  }

  /** Whether a request of a known session may go on to `choice`, as its own server does not take it. */
  mayTurn(x: Exchange, choice: T): boolean {
    for (const note of x.answerNotes ?? []) {
      if (!(note instanceof SessionNote) || note.owner !== this) continue;
      if (note.key !== null && note.isKnown && this.#isRefusing) return false;
      note.turnTo(choice);
    }
    return true;
  }

  /**
   * What the answer says about sessions; `note` tells whose answer it is. A client that knows an id may use it at once,
   * through any worker: the promise settles when they can know it, too. Null: nothing has changed.
   */
  learn(note: SessionNote<T>, x: Exchange): Promise<void> | null {
    const { sessions } = this.#room;
    const { key, choice, isKnown, hasMoved } = note;
    const { status } = x;
    const id = this.idIn(x.responseHeaders);
    const named = id === null || id === '' ? null : this.#keyOf(id);
    if (key !== null && x.method === 'DELETE' && status >= 200 && status < 300) {
      if (isKnown) sessions.forget(this.space, key);
      return null;
    }
    // Many servers put back what they were sent, into refusals, too: a client could fill the table with those.
    if (named !== null && named === key && status >= 400) return null;
    if (named !== null && (named !== key || !isKnown || hasMoved))
      return sessions.learn(this.space, named, choice.key);
    // Servers need not repeat the id, and one that refuses it has not taken the session over.
    if (named === null && key !== null && isKnown && hasMoved && status < 400)
      return sessions.learn(this.space, key, choice.key);
    return null;
  }

  async #later(
    x: Exchange,
    key: string,
    asked: Promise<string | null>,
    owner: Service | null,
  ): Promise<Seat<T>> {
    let target: string | null;
    try {
      target = await asked;
    } catch {
      return this.#unreachable(x, key);
    }
    const choice = target === null ? undefined : this.#choices.get(target);
    if (target !== null && choice === undefined && owner !== null) {
      // Where it began, a newer configuration runs. The primary has sent that here, too, before it answered; where
      // Redis answers, it may lie unread beside the answer.
      await turn();
      const newer = x.ended ? null : (this.#room.newer?.(owner, x) ?? null);
      if (newer !== null) return new Newer(newer);
    }
    return choice?.keeps === true ? this.#follow(x, key, choice) : this.#lost(x, key, target !== null);
  }

  #follow(x: Exchange, key: string, choice: T): T {
    x.noteAnswer(new SessionNote(this, choice, key, true));
    return choice;
  }

  #lost(x: Exchange, key: string | null, wasKnown: boolean): Seat<T> {
    if (this.#isRefusing) return new GatewayError('service.session_lost');
    return this.#anyone(x, key, wasKnown);
  }

  #unreachable(x: Exchange, key: string): Seat<T> {
    if (this.#room.refuses) return new GatewayError('state.unreachable');
    return this.#anyone(x, key, false);
  }

  /** By the id itself: all workers and nodes agree without a word, so that nothing a client makes up is kept. */
  #anyone(x: Exchange, key: string | null, wasKnown: boolean): T | null {
    const choice = key === null ? this.#anywhere.pick(x) : this.#anywhere.pickBy(key, null);
    if (choice === null) return null;
    const note = new SessionNote(this, choice, key, wasKnown);
    note.hasMoved = wasKnown;
    x.noteAnswer(note);
    return choice;
  }

  #keyOf(id: string): string {
    return hash('sha256', this.#room.salt + this.space.space + id, 'base64url').slice(0, keyLength);
  }
}

/** One request, and where it went: waits for the answer. */
class SessionNote<T extends Choice> implements AnswerNote {
  readonly owner: StickyHeader<T>;
  /** Digest of the id the request named. */
  readonly key: string | null;
  /** The table had it. */
  readonly isKnown: boolean;
  choice: T;
  /** `choice` is not where the table has it. */
  hasMoved = false;

  constructor(owner: StickyHeader<T>, choice: T, key: string | null, isKnown: boolean) {
    this.owner = owner;
    this.choice = choice;
    this.key = key;
    this.isKnown = isKnown;
  }

  turnTo(choice: T): void {
    this.choice = choice;
    this.hasMoved = true;
  }

  answered(x: Exchange): Promise<void> | null {
    return this.owner.learn(this, x);
  }
}

/** Visible ASCII, 1 to 512 characters. */
function isId(text: string): boolean {
  if (text.length === 0 || text.length > maxId) return false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x21 || c > 0x7e) return false;
  }
  return true;
}

/** What has arrived is read. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
