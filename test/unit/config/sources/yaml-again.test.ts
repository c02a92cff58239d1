// A text read in part must say what it says when it is read whole.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { minRemembered, parseYamlAgain, type YamlMemory } from '../../../../src/config/sources/yaml-again.ts';
import { parseYaml } from '../../../../src/config/sources/yaml.ts';
import type { Tree } from '../../../../src/config/tree.ts';

/** Long enough to be remembered, and still parsed in a moment. */
const count = 200;
const padding = 'x'.repeat(350);

function block(): string {
  const lines = [
    'http:',
    '  middlewares:',
    '    strip:',
    '      stripPrefix: {prefixes: [/api]}',
    '  routers:',
  ];
  for (let i = 0; i < count; i += 1) {
    lines.push(
      `    app${i}: # of team ${i} ${padding}`,
      `      rule: Host(\`app${i}.example.com\`)`,
      '      service: "app"',
    );
    if (i % 7 === 0) lines.push('      middlewares:', '        - strip', '');
    if (i % 11 === 0) lines.push('      observability:', '        accessLogs: false');
  }
  lines.push('  services:', '    app:', '      loadBalancer:', '        servers:');
  lines.push('          - url: http://127.0.0.1:1', '    other:');
  lines.push('      loadBalancer: {servers: [{url: "http://127.0.0.1:2"}]}');
  return `${lines.join('\n')}\n`;
}

function flow(indent: number, change: (routers: Record<string, unknown>) => void = () => {}): string {
  const routers: Record<string, unknown> = {};
  for (let i = 0; i < count; i += 1) {
    routers[`app${i}`] = { rule: `Host(\`app${i}.example.com\`)`, service: padding };
  }
  change(routers);
  const services = { app: { loadBalancer: { servers: [{ url: 'http://127.0.0.1:1' }] } } };
  return JSON.stringify({ http: { routers, services } }, null, indent);
}

function memoryOf(text: string): YamlMemory {
  assert.ok(text.length >= minRemembered, String(text.length));
  const { memory } = parseYamlAgain(text, 'f.yml', null);
  assert.ok(memory);
  return memory;
}

function router(tree: Tree | null, name: string): Tree | null {
  let node = tree;
  for (const key of ['http', 'routers', name]) {
    node = node?.kind === 'map' ? (node.entries.get(key)?.node ?? null) : null;
  }
  return node;
}

/** Says what a reading of the whole says; whether it was read in part. */
function assertSame(memory: YamlMemory, text: string): boolean {
  const again = parseYamlAgain(text, 'f.yml', memory);
  assert.deepEqual(again.parsed, parseYaml(text, 'f.yml'));
  const first = router(again.parsed.tree, 'app0');
  const isInPart = first !== null && first === router(memory.tree, 'app0');
  if (isInPart && again.memory !== null) {
    const fresh = parseYamlAgain(text, 'f.yml', null).memory;
    assert.deepEqual({ ...again.memory, nodes: 0 }, { ...fresh, nodes: 0 });
  }
  return isInPart;
}

test('a changed value leaves all other objects the very nodes they were', () => {
  const memory = memoryOf(block());
  const text = block().replace('Host(`app100.', 'Host(`new100.');
  assert.equal(assertSame(memory, text), true);
  const { tree } = parseYamlAgain(text, 'f.yml', memory).parsed;
  for (const name of ['app0', 'app99', 'app101', `app${count - 1}`]) {
    assert.equal(router(tree, name), router(memory.tree, name));
  }
  assert.notEqual(router(tree, 'app100'), router(memory.tree, 'app100'));
});

const edits: readonly (readonly [string, (text: string) => string, boolean])[] = [
  ['a line more', (t) => t.replace('    app101:', '      priority: 7\n    app101:'), true],
  ['a comment more', (t) => t.replace('    app101:', '    # here\n    app101:'), true],
  ['a router more', (t) => t.replace('    app101:', '    added:\n      rule: Path(`/`)\n    app101:'), true],
  ['a router less', (t) => t.replace(/ {4}app101:[^]*? {4}app102:/, '    app102:'), true],
  ['a router renamed', (t) => t.replace('app101:', 'app101b:'), true],
  ['the last router', (t) => t.replace('  services:', '      priority: 3\n  services:'), true],
  ['the last service', (t) => `${t.trimEnd()}  \n    more: {}\n`, true],
  ['the last line without its end', (t) => `${t}    more: {}`, true],
  ['a block scalar', (t) => t.replace(/"app"\n {4}app101/, '|\n        app\n\n    app101'), true],
  ['two changes far apart', (t) => t.replace('app9.', 'nine.').replace('app170.', 'seven.'), true],
  ['the first router', (t) => t.replace('app0:', 'zero:'), false],
  ['a name given twice', (t) => t.replace('app101:', 'app7:'), false],
  ['a quote left open', (t) => t.replace('Host(`app100.', '"Host(`app100.'), false],
  ['a key further out', (t) => t.replace('    app101:', '   app101:'), false],
  ['a key further in', (t) => t.replace('    app101:', '     app101:'), false],
  ['a document marker', (t) => t.replace('    app101:', '---\n    app101:'), false],
  ['a section between', (t) => t.replace('    app101:', '  tls:\n    app101:'), false],
  ['a root between', (t) => t.replace('    app101:', 'tls:\n    app101:'), false],
  ['an alias', (t) => t.replace(/"app"\n {4}app101/, '*app\n    app101'), false],
  ['another section', (t) => t.replace('  services:', '  serversTransports:'), false],
  ['nothing left', () => '', false],
];

for (const [title, edit, isInPart] of edits) {
  test(`an edit reads as the whole would be read: ${title}`, () => {
    const text = edit(block());
    assert.notEqual(text, block());
    assert.equal(assertSame(memoryOf(block()), text), isInPart);
  });
}

for (const indent of [0, 2]) {
  test(`JSON with an indent of ${indent} is read in part`, () => {
    const memory = memoryOf(flow(indent));
    const changed = flow(indent, (routers) => {
      routers['app100'] = { rule: 'Path(`/a`)', service: 'app', priority: 3 };
    });
    const shorter = flow(indent, (routers) => delete routers['app100']);
    assert.equal(assertSame(memory, changed), true);
    assert.equal(assertSame(memory, shorter), true);
    assert.equal(assertSame(memory, flow(indent).replace('"app100"', '"app101"')), false);
    assert.equal(assertSame(memory, flow(indent).replace('"app100":', '"app100"')), false);
  });
}

const pieces = ['\n', '  ', '    ', 'a', ':', ': ', '#', '"', "'", '- ', '{', '}', ',', '|', '*', '&a '];
const morePieces = ['    x:\n', '  y:\n', '\t', '? ', '"k": 1,', ' >\n', '!t '];
const anyEdit = fc.record({
  at: fc.nat(20_000),
  cut: fc.nat(80),
  put: fc.array(fc.constantFrom(...pieces, ...morePieces), { maxLength: 6 }).map((list) => list.join('')),
});

for (const [title, text] of [
  ['block', block()],
  ['flow', flow(0)],
  ['indented flow', flow(1)],
] as const) {
  test(`any edit of a ${title} text reads as the whole would be read, and so does the next one`, () => {
    const memory = memoryOf(text);
    fc.assert(
      fc.property(fc.tuple(anyEdit, anyEdit), (list) => {
        let known: YamlMemory | null = memory;
        let now = text;
        for (const { at, cut, put } of list) {
          const start = 30_000 + at;
          now = now.slice(0, start) + put + now.slice(start + cut);
          if (known === null) return;
          assertSame(known, now);
          known = parseYamlAgain(now, 'f.yml', known).memory;
        }
      }),
      { numRuns: Number(process.env['FUZZ'] ?? 10) },
    );
  });
}
