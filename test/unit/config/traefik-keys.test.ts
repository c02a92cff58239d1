// Nothing that Traefik reads is met without a word: every key is known to a schema, or refused by its name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { decode } from '../../../src/config/decode.ts';
import { canonicalKey, childOf, layoutOf } from '../../../src/config/decode/layout.ts';
import { loadDynamic } from '../../../src/config/dynamic/load.ts';
import { dynamicSchema } from '../../../src/config/dynamic/schema.ts';
import { unsupportedKeys } from '../../../src/config/json-schema/unsupported.ts';
import { labelsToTree } from '../../../src/config/sources/labels.ts';
import { parseYaml } from '../../../src/config/sources/yaml.ts';
import { noteOf } from '../../../src/config/static/define.ts';
import { statusDiagnostics } from '../../../src/config/static/keys.ts';
import { staticSchema } from '../../../src/config/static/schema.ts';
import type { Tree } from '../../../src/config/tree.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import * as keys from './traefik-keys.ts';

type Standing = 'known' | 'later' | 'refused' | 'removed' | 'unknown';

const anyNode: Tree = { kind: 'map', entries: new Map(), where: { source: '' } };

test('every key of the static configuration is known, or refused by its name', () => {
  for (const key of keys.staticKeys) {
    const standing = standingOf(staticSchema, key);
    assert.notEqual(standing, 'unknown', key);
    if (standing === 'refused') assertRefused(judgeStatic(key), key);
    if (standing === 'later') assertWarned(judgeStatic(key), key);
  }
});

test('every left-over of older versions is refused by its name, with what to do instead', () => {
  for (const key of keys.removedKeys) {
    const found = judgeStatic(key).find(
      ({ severity, hint, message, where }) =>
        severity === 'error' && hint !== undefined && `${message} ${where.path}`.includes(key),
    );
    assert.ok(found, `${key}: ${lines(judgeStatic(key))}`);
  }
});

test('every key of the dynamic configuration is known', () => {
  for (const key of keys.dynamicKeys) {
    const standing = standingOf(dynamicSchema, key);
    assert.ok(standing === 'known' || standing === 'later', key);
  }
});

test('what is not HTTP is refused by its name', () => {
  for (const key of keys.otherProtocols) {
    const { tree } = parseYaml(JSON.stringify(documentOf(key)), 'f');
    assertRefused(loadDynamic(tree, 'f').diagnostics, key.slice(0, 3));
  }
});

test('labels that say how a container is read are known, those of others are told', () => {
  for (const label of keys.providerLabels)
    assert.deepEqual(labelsToTree({ [label]: 'true' }, 'app').diagnostics, [], label);
  for (const label of keys.otherLabels) {
    const read = labelsToTree({ [label]: 'true' }, 'app');
    const found = [...read.diagnostics, ...loadDynamic(read.tree, 'app').diagnostics];
    assert.ok(
      found.some(({ severity, where }) => severity !== 'info' && label.startsWith(where.path ?? '?')),
      `${label}: ${lines(found)}`,
    );
  }
});

test('what is refused or without effect is listed by the command schema --unsupported', () => {
  const listed = unsupportedKeys().map(({ path }) => path);
  for (const key of [...keys.staticKeys, ...keys.dynamicKeys]) {
    const standing = standingOf(
      key.startsWith('http.') || key.startsWith('tls.') ? dynamicSchema : staticSchema,
      key,
    );
    if (standing === 'known') continue;
    assert.ok(
      listed.some((path) => key === path || key.startsWith(`${path}.`)),
      key,
    );
  }
});

/** Keys below a refused section are refused with it. */
function standingOf(root: z.ZodType, key: string): Standing {
  let schema = root;
  let isLater = false;
  for (const level of levelsOf(key)) {
    const layout = layoutOf(schema, anyNode);
    if (layout.kind === 'object') {
      const name = canonicalKey(layout, level);
      if (name === null) return 'unknown';
      schema = childOf(layout, name);
    } else if (layout.kind === 'map') schema = layout.value;
    else if (layout.kind === 'array') schema = layout.element;
    else return 'unknown';
    const { status } = noteOf(schema);
    if (status === 'refused' || status === 'removed') return status;
    isLater ||= status === 'later';
  }
  return isLater ? 'later' : 'known';
}

function judgeStatic(key: string): readonly Diagnostic[] {
  const { tree } = parseYaml(JSON.stringify(documentOf(key)), 'f');
  assert.ok(tree);
  const decoded = decode(staticSchema, tree, { unknownTopLevel: 'warn' });
  return [...statusDiagnostics(tree), ...decoded.diagnostics];
}

/** The smallest document in which `key` stands. */
function documentOf(key: string): unknown {
  return levelsOf(key).reduceRight<unknown>(
    (below, level) => (level === '[n]' ? [below] : { [level]: below }),
    'true',
  );
}

function levelsOf(key: string): string[] {
  return key.replaceAll('[n]', '.[n]').replaceAll('<name>', 'x').split('.');
}

function assertRefused(found: readonly Diagnostic[], key: string): void {
  const refusal = found.find(
    ({ severity, code }) =>
      severity === 'error' && (code === 'config.unsupported' || code === 'config.removed'),
  );
  assert.ok(refusal, `${key}: ${lines(found)}`);
  const [section = ''] = /`([^`]+)`/.exec(refusal.message)?.slice(1) ?? [
    refusal.message.slice(0, key.length),
  ];
  assert.ok(key.replaceAll('<name>', 'x').startsWith(section), `${key}: ${refusal.message}`);
  assert.ok(refusal.hint !== undefined || /left out/.test(refusal.message), `${key}: no hint`);
}

function assertWarned(found: readonly Diagnostic[], key: string): void {
  assert.ok(
    found.some(({ code, severity }) => code === 'config.no_effect' && severity === 'warning'),
    `${key}: ${lines(found)}`,
  );
}

function lines(found: readonly Diagnostic[]): string {
  return found.map(({ severity, message, hint }) => `${severity} ${message} | ${hint ?? ''}`).join('; ');
}
