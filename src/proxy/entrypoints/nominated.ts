// What a client lists in Connection: options for this connection, and headers meant for this hop alone.

import type { HeaderList } from '../headers.ts';

/** Members a `Connection` header may have; a longer list is work for us and of no use to anyone. */
export const maxNominated = 64;

export interface Nominated {
  /** The option `upgrade` is among them. */
  readonly upgrade: boolean;
  /** Header names to drop, in lower case. */
  readonly names: readonly string[];
}

/** Null when there are more than `maxNominated`. `stays` says which headers no client can have dropped. */
export function readNominated(connection: string, stays: (name: string) => boolean): Nominated | null {
  const members = connection.toLowerCase().split(',', maxNominated + 1);
  if (members.length > maxNominated) return null;
  const names: string[] = [];
  let upgrade = false;
  for (const member of members) {
    const name = member.trim();
    if (name === 'upgrade') upgrade = true;
    else if (!options.has(name) && !stays(name)) names.push(name);
  }
  return { upgrade, names };
}

/** `te` is none, but of it only what is meant for the server behind is in the list at all. */
const options: ReadonlySet<string> = new Set(['', 'close', 'keep-alive', 'te']);

/** Drops every line whose name is among `names`. */
export function dropNominated(headers: HeaderList, names: readonly string[]): void {
  let to = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (names.includes(headers[i] as string)) continue;
    headers[to++] = headers[i] as string;
    headers[to++] = headers[i + 1] as string;
  }
  headers.length = to;
}
