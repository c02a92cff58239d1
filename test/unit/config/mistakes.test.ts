// Every kind of mistake under every key, made from the schemas and the golden cases: each is told with key, place,
// value and expectation, the object is broken, and nothing else is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { canonicalKey, childOf, layoutOf } from '../../../src/config/decode/layout.ts';
import { isSecretPath } from '../../../src/config/decode/messages.ts';
import { loadDynamic } from '../../../src/config/dynamic/load.ts';
import { dynamicSchema } from '../../../src/config/dynamic/schema.ts';
import type { Scalar, Tree } from '../../../src/config/tree.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import { catalogue } from '../../../src/proxy/middlewares/catalogue.ts';
import { filesOf, leavesOf, replaced } from '../../golden/inputs.ts';

interface Spot {
  readonly tree: Tree;
  /** Keys as they are written. */
  readonly path: readonly string[];
  readonly schema: z.ZodType;
  /** `http.middlewares.*.retry.attempts`. */
  readonly key: string;
  /** The last level is a name of a user's own. */
  readonly isNamed: boolean;
}

const cases = ['every-middleware-key', 'every-service-key', 'every-router-key'];
const spots = cases.flatMap((name) => filesOf(name)).flatMap(spotsOf);
const line = 4711;

test('the spots are those of every kind', () => {
  for (const { kind } of catalogue) {
    if (kind === 'plugin') continue;
    assert.ok(
      spots.some(({ key }) => key.startsWith(`http.middlewares.*.${kind}.`)),
      kind,
    );
  }
});

test('a required key that is missing', () => {
  const required = spots.filter((spot) => isRequired(spot.schema) && !spot.isNamed);
  assert.ok(required.length > 20);
  for (const spot of required) {
    const told = judge(spot, null);
    const name = nameOf(spot);
    // Without its only key a section is empty: that is told instead.
    const isTold = told.some(
      ({ code, message, where }) =>
        (code === 'config.missing' && message.includes(`\`${name}\``)) ||
        (code === 'config.standalone' && where.path !== undefined),
    );
    assert.ok(isTold, `${spot.key}: ${lines(told)}`);
  }
});

test('a value of the wrong type', () => {
  for (const spot of spots) {
    if (isFree(spot)) continue;
    const wrong = ['zqx perhaps\u0001', -0.5].find((value) => !accepts(spot, value));
    // Where every text and number is right, only something else is wrong.
    const node: Tree = wrong === undefined ? mapOf('zqx', scalar(1, spot.path)) : scalar(wrong, spot.path);
    const told = judge(spot, node);
    assert.ok(told.length > 0, `${spot.key} takes ${String(wrong)}`);
    assert.ok(
      told.some(({ message }) => expects(message) && names(message, spot, wrong)),
      `${spot.key}: ${lines(told)}`,
    );
    assert.ok(
      told.some(({ where }) => where.line === line),
      `${spot.key}: place ${JSON.stringify(told.map(({ where }) => where))}`,
    );
  }
});

test('a key with a letter too few, beside every key there is', () => {
  for (const { tree, path, key, isNamed } of spots) {
    const name = path.at(-1) as string;
    if (isNamed || name.length < 4) continue;
    const typo = `${name.slice(0, 2)}${name.slice(3)}`;
    const broken = replaced(replaced(tree, path, null), [...path.slice(0, -1), typo], scalar('x', path));
    const told = errors(broken, tree);
    const found = told.find(
      ({ code, message }) => code === 'config.unknown_key' && message.includes(`\`${typo}\``),
    );
    assert.ok(found, `${key}: ${lines(told)}`);
    assert.match(found.hint ?? '', /did you mean|write|delete|indent/, `${key}: ${typo}`);
    assertAlone(broken, tree, path);
  }
});

/** Taken as Traefik takes them: what a number below zero means there. */
const negatives: ReadonlyMap<RegExp, string> = new Map([
  [/\.max(?:Response)?BodySize$|maxRequestBodyBytes$/, 'without a limit'],
  [/\.accessControlMaxAge$|\.cookie\.maxAge$/, 'forget it at once'],
  [/\.servers\.\d+\.weight$/, 'never chosen'],
  [/\.flushInterval$/, 'at once'],
  [/\.maxIdleConnsPerHost$/, 'none is kept'],
  [
    /\.(?:interval|unhealthyInterval|timeout|failureWindow|maxFailedAttempts|rise|fall)$/,
    'the default, with a warning',
  ],
  [/\.priority$/, 'below all others'],
  [/\.rateLimit\.(?:burst$|redis\.)/, '1 at least; without effect yet'],
]);

test('a number below zero is refused, or means something', () => {
  for (const spot of numbers()) {
    if (accepts(spot, -7)) {
      assert.ok(
        [...negatives.keys()].some((pattern) => pattern.test(spot.key)),
        `${spot.key} takes -7`,
      );
      continue;
    }
    const told = judge(spot, scalar(-7, spot.path));
    assert.ok(
      told.some(({ message, where }) => expects(message) && names(message, spot, -7) && where.line === line),
      `${spot.key}: ${lines(told)}`,
    );
  }
});

test('a number beyond all measure is refused everywhere', () => {
  for (const spot of numbers()) {
    // A priority is checked where all routers are seen together.
    if (spot.key.endsWith('.priority')) continue;
    const told = judge(spot, scalar(1e300, spot.path));
    assert.ok(
      told.some(({ message }) => expects(message) && names(message, spot, 1e300)),
      `${spot.key}: ${lines(told)}`,
    );
  }
});

function spotsOf(tree: Tree): Spot[] {
  return leavesOf(dynamicSchema, tree)
    .filter(([root]) => root === 'http')
    .map((path) => {
      const found = schemaAt(path, tree);
      return { tree, path, ...found };
    });
}

function schemaAt(path: readonly string[], tree: Tree): Pick<Spot, 'schema' | 'key' | 'isNamed'> {
  let isNamed = false;
  let schema: z.ZodType = dynamicSchema;
  let node: Tree = tree;
  const key: string[] = [];
  for (const level of path) {
    const layout = layoutOf(schema, node);
    isNamed = layout.kind === 'map';
    if (layout.kind === 'object') {
      const name = canonicalKey(layout, level) ?? '';
      schema = childOf(layout, name);
      key.push(name);
    } else if (layout.kind !== 'leaf') {
      schema = layout.kind === 'map' ? layout.value : layout.element;
      key.push(key.length === 2 ? '*' : level);
    }
    node =
      node.kind === 'list'
        ? (node.items[Number(level)] as Tree)
        : ((node as Tree & { kind: 'map' }).entries.get(level)?.node as Tree);
  }
  return { schema, key: key.join('.'), isNamed };
}

/** The errors of `spot` with another value; checks that only its object is broken. */
function judge({ tree, path }: Spot, by: Tree | null): readonly Diagnostic[] {
  const broken = replaced(tree, path, by);
  const told = errors(broken, tree);
  if (told.length > 0) assertAlone(broken, tree, path);
  return told;
}

/** Errors that the tree as it stands in the golden case has not. */
function errors(broken: Tree, whole: Tree): readonly Diagnostic[] {
  const before = new Set(loadDynamic(whole, 'f').diagnostics.map(({ message }) => message));
  return loadDynamic(broken, 'f').diagnostics.filter(
    ({ severity, message }) => severity === 'error' && !before.has(message),
  );
}

function assertAlone(broken: Tree, whole: Tree, [, section, name]: readonly string[]): void {
  const wrong = loadDynamic(broken, 'f').config;
  const right = loadDynamic(whole, 'f').config;
  const parts = ['routers', 'services', 'middlewares', 'transports'] as const;
  const own = section === 'serversTransports' ? 'transports' : section;
  for (const part of parts) {
    for (const [other, { value, errors: reasons }] of wrong[part]) {
      if (part === own && other === name) assert.ok(reasons.length > 0, `${other} is not broken`);
      else assert.deepEqual(value, right[part].get(other)?.value, `${part} ${other} beside ${name}`);
    }
  }
}

function accepts(spot: Spot, value: Scalar): boolean {
  return errors(replaced(spot.tree, spot.path, scalar(value, spot.path)), spot.tree).length === 0;
}

/** Numbers and durations: those that refuse a word and take a number. */
function numbers(): Spot[] {
  const isNumber = (spot: Spot): boolean =>
    !accepts(spot, 'zqx') && [1, 5, 50, 404].some((value) => accepts(spot, value)) && !accepts(spot, 'true');
  return spots.filter((spot) => !isFree(spot) && isNumber(spot) && /(?:int|duration)/.test(typeOf(spot)));
}

function typeOf({ tree, path }: Spot): string {
  // A switch takes 1, a list takes a text: a number takes `+1`, or its half as a duration.
  const takes = (value: Scalar) => errors(replaced(tree, path, scalar(value, path)), tree).length === 0;
  return ['+1', '+5', '+50', '+404'].some(takes) && !takes('/+1') ? 'int or duration' : '';
}

/** Whether any text is right: then neither a word nor a number is a mistake. */
function isFree({ schema }: Spot): boolean {
  return schema.safeParse({ zqx: 1 }).success;
}

function isRequired(schema: z.ZodType): boolean {
  return !schema.safeParse(undefined).success;
}

function expects(message: string): boolean {
  return /expected|cannot be read|not a list|carries no|the name|control character/.test(message);
}

/** The key as it is written, and the value, unless that may be a secret or is none to be shown. */
function names(message: string, spot: Spot, value: Scalar | undefined): boolean {
  if (!message.includes(`\`${nameOf(spot)}\``)) return false;
  const isShown = typeof value === 'number' && !isSecretPath(spot.path.join('.'));
  return !isShown || message.includes(String(value)) || /cannot be read|must|at character/.test(message);
}

function nameOf({ key }: Spot): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

function lines(told: readonly Diagnostic[]): string {
  return told.map(({ message, hint }) => `${message} | ${hint ?? ''}`).join('; ');
}

function scalar(value: Scalar, path: readonly string[]): Tree {
  return { kind: 'scalar', value, where: { source: 'f', line, column: 1, path: path.join('.') } };
}

function mapOf(key: string, node: Tree): Tree {
  return { kind: 'map', entries: new Map([[key, { key: node.where, node }]]), where: node.where };
}
