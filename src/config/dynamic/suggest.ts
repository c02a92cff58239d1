// The nearest name there is, for a reference that finds nothing.

import { nearest } from '../decode/unknown-keys.ts';

/** The hint of a Diagnostic: the same name of another provider first. */
export type Suggest = (name: string, known: ReadonlyMap<string, unknown>) => { readonly hint?: string };

/** Names compared in one resolve: thousands of lost references among thousands of names would take minutes. */
const maxCompared = 100_000;

export function createSuggest(): Suggest {
  let compared = 0;
  return (name, known) => {
    compared += known.size;
    if (compared > maxCompared) return {};
    const names = new Map([...known.keys()].map((other) => [unqualified(other), other]));
    const near = nearest(unqualified(name), [...names.keys()]);
    return near === null ? {} : { hint: `did you mean ${names.get(near)}?` };
  };
}

function unqualified(name: string): string {
  const at = name.lastIndexOf('@');
  return at === -1 ? name : name.slice(0, at);
}
