// One hash for one content: keys sorted, bigints as text, absent and undefined the same. What is hashed object by
// object is hashed once, so that a change of one in thousands costs one.

import { hash } from 'node:crypto';

interface Measured {
  readonly digest: string;
  readonly bytes: number;
}

/** As many as there are living objects that were measured. */
const measured = new WeakMap<object, Measured>();

/** SHA-256, hex, over sections of objects in their order. The objects must not change afterwards. */
export function contentHash(sections: readonly (readonly object[])[]): string {
  const parts = sections.map((objects) => objects.map((object) => measure(object).digest).join(''));
  return hash('sha256', parts.join('\n'));
}

/** Bytes that the objects take as canonical JSON: about as many as in a message. */
export function contentBytes(sections: readonly (readonly object[])[]): number {
  let bytes = 0;
  for (const objects of sections) for (const object of objects) bytes += measure(object).bytes;
  return bytes;
}

/** Keys sorted, bigints as texts of digits, keys that are undefined left out. Of plain data without cycles. */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `"${value}"`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) {
    let items = '';
    for (const item of value) items += items === '' ? canonicalJson(item) : `,${canonicalJson(item)}`;
    return `[${items}]`;
  }
  let entries = '';
  for (const key of Object.keys(value).sort()) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined) continue;
    entries += `${entries === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(item)}`;
  }
  return `{${entries}}`;
}

function measure(object: object): Measured {
  let known = measured.get(object);
  if (known === undefined) {
    const json = canonicalJson(object);
    known = { digest: hash('sha256', json), bytes: Buffer.byteLength(json) };
    measured.set(object, known);
  }
  return known;
}
