// A zod issue as a Diagnostic: the key, the value as written, what was expected; never a secret.

import type { z } from 'zod';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Origin } from '../decode.ts';
import type { Scalar, Tree } from '../tree.ts';

const maxShown = 80;
const maxShownItems = 3;
const secretWords = /password|passwd|secret|token|users|hmac|^keys?$|privatekey|credential/i;

/** `user:password@` of a URL; greedy, since a password may hold an `@` too. */
const userinfo = /\/\/[^/?#\s]*@/;

/** The query of a URL, where auth servers and the like take keys. */
const query = /^([a-z][a-z0-9+.-]*:\/\/[^?]*\?).+$/is;

/** Switches and names that only sound like one. */
const notSecret = /\.(?:accesscontrolallowcredentials|forwardauth\.cache\.key)$/i;

/** Whether a value under this dotted path must not be shown. */
export function isSecretPath(path: string | undefined): boolean {
  if (path === undefined || notSecret.test(path)) return false;
  return path.split(/[.[\]]/).some((part) => secretWords.test(part));
}

/** A value for a message: quoted, at most 80 characters, `(hidden)` under a secret path. */
export function shorten(value: Scalar, path: string): string {
  if (isSecretPath(path)) return '(hidden)';
  const text = (typeof value === 'string' ? value : String(value))
    .replace(userinfo, '//(hidden)@')
    .replace(query, '$1(hidden)');
  const shown = text.length > maxShown ? `${text.slice(0, maxShown - 1)}…` : text;
  return typeof value === 'string' ? JSON.stringify(shown) : shown;
}

/** The deepest written node along `path`, and whether the path ends there. */
export function reach(path: readonly PropertyKey[], root: Origin): { found: Origin; isWhole: boolean } {
  let found = root;
  for (const part of path) {
    const next = found.children.get(String(part));
    if (next === undefined) return { found, isWhole: false };
    found = next;
  }
  return { found, isWhole: true };
}

/** `root` is the origin of the value the issue's path starts from. */
export function describeIssue(issue: z.core.$ZodIssue, root: Origin): Diagnostic {
  const { found, isWhole } = reach(issue.path, root);
  const path = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
  const name = `\`${path.slice(path.lastIndexOf('.') + 1) || 'configuration'}\``;
  const isMissing =
    !isWhole &&
    issue.code !== 'unrecognized_keys' &&
    (issue.code !== 'custom' || issue.message.startsWith('expected'));
  const base = { severity: 'error', where: found === root ? { ...found.key, path } : found.key } as const;
  if (isMissing)
    return {
      ...base,
      code: 'config.missing',
      message: `${name} is required and missing`,
      where: { ...base.where, path },
    };
  const expectation = expected(issue);
  if (expectation === null)
    return {
      ...base,
      code: 'config.invalid_value',
      message: path === '' ? issue.message : `${name}: ${issue.message}`,
    };
  // Of a section whose keys were read one by one, the keys are wrong, not that it is a map.
  const isSection = found.node.kind === 'map' && found.children.size > 0;
  return {
    ...base,
    code: 'config.invalid_value',
    message: isSection
      ? `${name}: ${expectation}`
      : `${name} is ${describeNode(found.node, path)}, ${expectation}`,
  };
}

/** "expected …", or null where the message stands by itself. */
function expected(issue: z.core.$ZodIssue): string | null {
  if (issue.code === 'invalid_value') return `expected ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type') return `expected ${issue.expected}`;
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}`;
  return issue.message.startsWith('expected') ? issue.message : null;
}

function describeNode(node: Tree, path: string): string {
  if (node.kind === 'scalar') return shorten(node.value, path);
  if (node.kind === 'map') return node.entries.size === 0 ? 'an empty map' : 'a map';
  if (node.items.length === 0) return 'an empty list';
  const texts = node.items
    .slice(0, maxShownItems)
    .map((item) => (item.kind === 'scalar' ? shorten(item.value, path) : null));
  if (texts.includes(null)) return 'a list';
  const more = node.items.length - texts.length;
  return `[${texts.join(', ')}${more === 0 ? '' : ` and ${more} more`}]`;
}
