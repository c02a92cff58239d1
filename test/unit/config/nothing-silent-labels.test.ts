// No label is ignored in silence: an unknown key at every level of what labels can write.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { layoutOf } from '../../../src/config/decode/layout.ts';
import { dynamicSchema } from '../../../src/config/dynamic/schema.ts';
import { loadDynamic } from '../../../src/config/dynamic/load.ts';
import { labelsToTree } from '../../../src/config/sources/labels.ts';
import type { Tree } from '../../../src/config/tree.ts';

const unknown = 'zqxunknown';
const sample: Tree = { kind: 'map', entries: new Map(), where: { source: '' } };

/** Paths of all objects, below `traefik`. */
function objectsOf(schema: z.ZodType, path: string): string[] {
  const layout = layoutOf(schema, sample);
  if (layout.kind === 'map') return objectsOf(layout.value, `${path}.x`);
  if (layout.kind === 'array') return objectsOf(layout.element, `${path}[0]`);
  if (layout.kind === 'leaf') return [];
  const below = Object.entries(layout.shape).flatMap(([key, child]) => objectsOf(child, `${path}.${key}`));
  return [path, ...below];
}

test('an unknown label at every level is told, with the label itself as its place', () => {
  const paths = objectsOf(dynamicSchema, 'traefik').filter((path) => /^traefik\.http\.\w+\.x/.test(path));
  assert.ok(paths.length > 30);
  for (const path of paths) {
    const label = `${path}.${unknown}`;
    const read = labelsToTree({ [label]: 'v' }, 'app');
    const found = [
      ...read.diagnostics,
      ...(read.tree === null ? [] : loadDynamic(read.tree, 'app').diagnostics),
    ];
    assert.ok(
      found.some(
        ({ severity, where }) =>
          severity === 'error' && where.path !== undefined && label.startsWith(where.path),
      ),
      `${label}: ${JSON.stringify(found)}`,
    );
  }
});

test('unknown roots, sections and provider labels are told', () => {
  for (const label of [
    'traefik.zqx',
    'traefik.http.zqx.r.rule',
    'traefik.docker.zqx',
    'traefik.enable.zqx',
    'traefik.htp.routers.r.rule',
    'treafik.enable',
    'traefik..http',
    'Traefik.enable',
  ]) {
    const read = labelsToTree({ [label]: 'v' }, 'app');
    const found = [
      ...read.diagnostics,
      ...(read.tree === null ? [] : loadDynamic(read.tree, 'app').diagnostics),
    ];
    assert.ok(found.length > 0, label);
  }
});
