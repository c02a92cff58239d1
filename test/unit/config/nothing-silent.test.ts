// No key is ignored in silence: an unknown key at every level of both schemas, in every source that can carry
// it, and a value of the wrong kind under every known one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'smol-toml';
import type { z } from 'zod';
import { decode } from '../../../src/config/decode.ts';
import { definitionOf, layoutOf, unwrap } from '../../../src/config/decode/layout.ts';
import { loadDynamic } from '../../../src/config/dynamic/load.ts';
import { dynamicSchema } from '../../../src/config/dynamic/schema.ts';
import { parseEnv } from '../../../src/config/sources/env.ts';
import { parseFlags } from '../../../src/config/sources/flags.ts';
import { parseToml } from '../../../src/config/sources/toml.ts';
import { parseYaml } from '../../../src/config/sources/yaml.ts';
import { noteOf } from '../../../src/config/static/define.ts';
import { flagKindOf, staticRoots, statusDiagnostics } from '../../../src/config/static/keys.ts';
import { staticSchema } from '../../../src/config/static/schema.ts';
import type { Tree } from '../../../src/config/tree.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';

const unknown = 'zqxunknown';
const sample: Tree = { kind: 'map', entries: new Map(), where: { source: '' } };

interface Levels {
  /** Paths of objects; a number is an index of a list. */
  readonly objects: (readonly (string | number)[])[];
  readonly leaves: { readonly path: readonly (string | number)[]; readonly schema: z.ZodType }[];
}

function levelsOf(schema: z.ZodType): Levels {
  const levels: Levels = { objects: [], leaves: [] };
  collect(schema, [], levels);
  return levels;
}

function collect(schema: z.ZodType, path: readonly (string | number)[], levels: Levels): void {
  const layout = layoutOf(schema, sample);
  if (layout.kind === 'leaf') levels.leaves.push({ path, schema });
  else if (layout.kind === 'map') collect(layout.value, [...path, 'x'], levels);
  else if (layout.kind === 'array') collect(layout.element, [...path, 0], levels);
  else {
    levels.objects.push(path);
    for (const [key, child] of Object.entries(layout.shape)) collect(child, [...path, key], levels);
  }
}

function nested(path: readonly (string | number)[], value: unknown): unknown {
  return path.reduceRight<unknown>(
    (inner, part) => (typeof part === 'number' ? [inner] : { [part]: inner }),
    value,
  );
}

function judgeStatic(tree: Tree | null, atTop: 'warn' | 'error'): Diagnostic[] {
  assert.ok(tree);
  return [...statusDiagnostics(tree), ...decode(staticSchema, tree, { unknownTopLevel: atTop }).diagnostics];
}

function names(diagnostics: readonly Diagnostic[], key: string): boolean {
  return diagnostics.some(
    ({ severity, message, where }) =>
      severity !== 'info' &&
      message.toLowerCase().includes(key) &&
      (where.line !== undefined || where.path !== undefined),
  );
}

/** Whether anything may stand there. */
function isFree(schema: z.ZodType): boolean {
  for (let at: z.ZodType | null = schema; at !== null; at = unwrap(at))
    if (definitionOf(at).type === 'any') return noteOf(schema).type === undefined;
  return false;
}

const staticLevels = levelsOf(staticSchema);
const dynamicLevels = levelsOf(dynamicSchema);

test('the walk over the schemas finds their levels', () => {
  const paths = (levels: Levels) => levels.objects.map((path) => path.join('.'));
  assert.ok(paths(staticLevels).includes('entryPoints.x.http.tls.domains.0'));
  assert.ok(paths(dynamicLevels).includes('http.middlewares.x.forwardAuth.cache'));
  assert.ok(staticLevels.leaves.length > 150 && dynamicLevels.leaves.length > 100);
});

test('an unknown key at every level of the static configuration is told, in all four sources', () => {
  for (const path of staticLevels.objects) {
    const at = path.join('.');
    const document = nested([...path, unknown], 'v');
    const yaml = parseYaml(JSON.stringify(document), 'f').tree;
    assert.ok(names(judgeStatic(yaml, 'warn'), unknown), `YAML ${at}`);
    const toml = parseToml(stringify(document as object), 'f').tree;
    assert.ok(names(judgeStatic(toml, 'warn'), unknown), `TOML ${at}`);
    const dotted = [...path, unknown].join('.');
    const flag = parseFlags([`--${dotted}=v`], flagKindOf).tree;
    assert.ok(names(judgeStatic(flag, 'error'), unknown), `flag ${at}`);
    // At the root, variables that are no option belong to somebody else.
    if (path.length === 0) continue;
    const variable = `TRAEFIK_${dotted.replaceAll('.', '_').toUpperCase()}`;
    const env = parseEnv({ [variable]: 'v' }, staticRoots()).tree;
    assert.ok(names(judgeStatic(env, 'error'), unknown), `env ${at}`);
  }
});

test('an unknown key at every level of the dynamic configuration is told, in both formats', () => {
  for (const path of dynamicLevels.objects) {
    const document = nested([...path, unknown], 'v');
    for (const parsed of [
      parseYaml(JSON.stringify(document), 'f'),
      parseToml(stringify(document as object), 'f'),
    ]) {
      assert.ok(names(loadDynamic(parsed.tree, 'f').diagnostics, unknown), path.join('.'));
    }
  }
});

test('a map or a list of maps where one value is due is an error, and never throws', () => {
  for (const wrong of [{ zz: { y: 1 } }, [{ zz: 1 }], [[1]]]) {
    for (const { path, schema } of staticLevels.leaves) {
      const tree = parseYaml(JSON.stringify(nested(path, wrong)), 'f').tree;
      const found = judgeStatic(tree, 'warn').some(({ severity }) => severity === 'error');
      if (!isFree(schema)) assert.ok(found, path.join('.'));
    }
    for (const { path } of dynamicLevels.leaves) {
      const { tree } = parseYaml(JSON.stringify(nested(path, wrong)), 'f');
      const key = String(path.findLast((part) => typeof part === 'string')).toLowerCase();
      const told = loadDynamic(tree, 'f').diagnostics.filter(({ severity }) => severity === 'error');
      assert.ok(names(told, key), `${path.join('.')}: ${told.map(({ message }) => message).join('; ')}`);
    }
  }
});

test('a key with nothing after it is told, but for the roots of a skeleton', () => {
  const told = (diagnostics: readonly Diagnostic[], path: readonly (string | number)[]) =>
    assert.ok(
      diagnostics.some(({ severity }) => severity !== 'info'),
      path.join('.'),
    );
  for (const path of [...staticLevels.objects, ...staticLevels.leaves.map((leaf) => leaf.path)]) {
    if (path.length < 2) continue;
    const { tree } = parseYaml(JSON.stringify(nested(path, null)), 'f');
    told(judgeStatic(tree, 'warn'), path);
  }
  for (const path of [...dynamicLevels.objects, ...dynamicLevels.leaves.map((leaf) => leaf.path)]) {
    if (path.length < 3) continue;
    const { tree } = parseYaml(JSON.stringify(nested(path, null)), 'f');
    told(loadDynamic(tree, 'f').diagnostics, path);
  }
});

test('a value beside the options of a section is judged, too', () => {
  for (const flags of [
    ['--entrypoints.web=foo', '--entrypoints.web.address=:80'],
    ['--providers.file=false', '--providers.file.directory=d'],
    ['--entrypoints=x', '--entrypoints.web.address=:80'],
    ['--accesslog=perhaps', '--accesslog.filepath=f'],
  ]) {
    const found = judgeStatic(parseFlags(flags, flagKindOf).tree, 'error');
    assert.deepEqual(
      found.map(({ code, where }) => `${code} ${where.path}`),
      [`config.invalid_value ${flags[0]?.slice(2).split('=')[0]}`],
    );
  }
  const on = ['--providers.file=true', '--providers.file.directory=d'];
  assert.deepEqual(judgeStatic(parseFlags(on, flagKindOf).tree, 'error'), []);
});
