// Decodes one object of one section, with the paths and hints it would have in the whole file.

import { z } from 'zod';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { decode } from '../decode.ts';
import type { MapNode, Tree } from '../tree.ts';

export type DecodeObject<T> = (name: string, node: Tree) => { value: T | null; diagnostics: Diagnostic[] };

/** Of `<root>.<section>.<name>`. `value` is null when one diagnostic is an error. */
export function objectDecoder<S extends z.ZodType>(
  section: string,
  schema: S,
  root: 'http' | 'tls' = 'http',
): DecodeObject<z.output<S>> {
  const whole = z.strictObject({ [root]: z.strictObject({ [section]: z.record(z.string(), schema) }) });
  return (name, node) => {
    const decoded = decode(whole, wrap(root, wrap(section, wrap(name, node))));
    const all = decoded.value?.[root]?.[section];
    // Own ones only: a router named `__proto__` must not be found on every object.
    const value = all !== undefined && Object.hasOwn(all, name) ? all[name] : undefined;
    const { diagnostics } = decoded;
    if (value === undefined && diagnostics.every(({ severity }) => severity !== 'error')) {
      // Switched off with `false`, or a name no object can carry (`__proto__`): never broken without a word.
      diagnostics.push({
        severity: 'error',
        code: 'config.no_value',
        message: 'there is nothing in it',
        where: node.where,
      });
    }
    return { value: value === undefined ? null : (value as z.output<S>), diagnostics };
  };
}

/** `node` as the only entry of a map. */
export function wrap(key: string, node: Tree): MapNode {
  return { kind: 'map', entries: new Map([[key, { key: node.where, node }]]), where: node.where };
}
