// A doubly linked list through its members, the least recently used first: moving one allocates nothing and leaves
// no dead cell behind, as deleting and adding in a Map would.

export interface Linked<Member> {
  older: Member | null;
  newer: Member | null;
}

/** Its bound is its user's: it never grows by itself. */
export class Recency<Member extends Linked<Member>> {
  oldest: Member | null = null;
  #newest: Member | null = null;

  /** As the newest; it must not be in the list. */
  add(member: Member): void {
    member.older = this.#newest;
    member.newer = null;
    if (this.#newest === null) this.oldest = member;
    else this.#newest.newer = member;
    this.#newest = member;
  }

  /** It must be in the list. */
  remove(member: Member): void {
    const { older, newer } = member;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    member.older = null;
    member.newer = null;
  }

  /** It must be in the list. */
  renew(member: Member): void {
    if (member === this.#newest) return;
    this.remove(member);
    this.add(member);
  }
}
