// One middleware's tree → kind and options.

import type { Diagnostic } from '../../model/diagnostic.ts';
import { list, text, textMap } from '../../proxy/middlewares/fields.ts';
import { plain } from '../decode/values.ts';
import type { Tree } from '../tree.ts';
import { objectDecoder } from './decode-object.ts';
import { definitions, middlewareSchema } from './middleware-schema.ts';
import { notExactlyOne } from './not-exactly-one.ts';
import type { MiddlewareConfig } from './provider-config.ts';
import { child, placeOf } from './tree-access.ts';

const decodeMiddleware = objectDecoder('middlewares', middlewareSchema);

export function loadMiddleware(name: string, node: Tree, diagnostics: Diagnostic[]): MiddlewareConfig {
  const decoded = decodeMiddleware(name, node);
  diagnostics.push(...decoded.diagnostics);
  const written = writtenKinds(node, [...definitions.keys()]);
  if (decoded.value === null) return broken(canonical(written[0]), node);
  const value = decoded.value;
  const kinds = Object.keys(value).filter((kind) => value[kind] !== undefined);
  const kind = kinds[0];
  if (kind === undefined || kinds.length > 1) {
    if (decoded.diagnostics.every(({ severity }) => severity !== 'error')) {
      const several = 'give each its own name and list both in the router, in the order they shall run';
      diagnostics.push(notExactlyOne('middleware', node, kinds, { several }));
    }
    return broken(canonical(kind), node);
  }
  if (kind !== canonical(kind)) {
    const message = `${kind} is deprecated and means ${canonical(kind)}`;
    diagnostics.push({
      severity: 'warning',
      code: 'config.deprecated',
      message,
      where: placeOf(node, [kind]),
    });
  }
  return { kind: canonical(kind), options: value[kind] };
}

/**
 * Of an auth middleware that cannot run, the names that only an auth server may set: clients must not get to
 * send them on other routes because of a mistake elsewhere.
 */
function broken(kind: string, node: Tree): MiddlewareConfig {
  const auth = child(node, 'forwardAuth');
  if (auth === null) return brokenOther(kind, node);
  const names = child(auth, 'authResponseHeaders');
  const field = child(auth, 'headerField');
  const authResponseHeaders = names === null ? [] : (list.safeParse(plain(names)).data ?? []);
  const headerField = field === null ? '' : (text.safeParse(plain(field)).data ?? '');
  return { kind: 'forwardAuth', options: { authResponseHeaders, headerField } };
}

/** The same of the other kinds that tell servers who asks. */
function brokenOther(kind: string, node: Tree): MiddlewareConfig {
  const section = child(node, kind);
  const ownHeaders = definitions.get(kind)?.ownHeaders;
  if (section === null || ownHeaders === undefined || kind === 'plugin') return { kind, options: null };
  const field = child(section, 'headerField');
  const map = child(section, 'claimsToHeaders');
  const headerField = field === null ? '' : (text.safeParse(plain(field)).data ?? '');
  const claimsToHeaders = map === null ? {} : (textMap.safeParse(plain(map)).data ?? {});
  return { kind, options: { headerField, claimsToHeaders } };
}

function writtenKinds(node: Tree, kinds: readonly string[]): string[] {
  if (node.kind !== 'map') return [];
  const written = new Set([...node.entries.keys()].map((key) => key.toLowerCase()));
  return kinds.filter((kind) => written.has(kind.toLowerCase()));
}

function canonical(kind: string | undefined): string {
  return kind === undefined ? '' : (definitions.get(kind)?.kind ?? kind);
}
