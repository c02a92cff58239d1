// Edits as people and programs make them, line by line, on a file as people write it: read again, it says what
// it would say read for the first time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseYamlAgain, type YamlMemory } from '../../../../src/config/sources/yaml-again.ts';
import { parseYaml } from '../../../../src/config/sources/yaml.ts';

const padding = 'ü'.repeat(600);

/** A file in one of several hands. */
function written({
  indent,
  isCrlf,
  isQuoted,
}: {
  indent: number;
  isCrlf: boolean;
  isQuoted: boolean;
}): string {
  const at = (level: number): string => ' '.repeat(indent * level);
  const key = (name: string): string => (isQuoted ? `"${name}"` : name);
  const lines = ['# routers of all teams', '', 'http:', `${at(1)}routers:`];
  for (let i = 0; i < 120; i += 1) {
    if (i % 9 === 0) lines.push('', `${at(2)}# --- team ${i} ${padding} ---`, '');
    lines.push(`${at(2)}${key(`app-${i}`)}:   # ${padding}`);
    lines.push(`${at(3)}rule: 'Host(\`a${i}.test\`) && !Path(\`/x\`)'`, `${at(3)}service: svc${i % 5}`);
    if (i % 4 === 0) lines.push(`${at(3)}middlewares:`, `${at(3)}- auth`, `${at(4)}`, `${at(3)}- "h${i}"`);
    if (i % 7 === 0) lines.push(`${at(3)}tls: {}`);
    if (i % 13 === 0) lines.push(`${at(3)}observability:`, `${at(4)}accessLogs: false`);
    if (i % 17 === 0) lines.push(`${at(3)}priority: ${i}`);
    if (i % 19 === 0)
      lines.push(`${at(3)}note: |`, `${at(4)}app-1:`, `${at(5)}rule: no rule`, '', `${at(4)}end`);
    if (i % 23 === 0) lines.push(`${at(3)}fold: >-`, `${at(4)}one`, `${at(4)}two: three`);
    if (i % 29 === 0) lines.push(`${at(3)}long: "one`, `${at(4)}two \\`, `${at(4)}  three"`);
  }
  lines.push(`${at(1)}middlewares:`, `${at(2)}auth: {forwardAuth: {address: "http://127.0.0.1:1"}}`);
  lines.push(`${at(1)}services:`);
  for (let i = 0; i < 5; i += 1)
    lines.push(
      `${at(2)}svc${i}:`,
      `${at(3)}loadBalancer:`,
      `${at(4)}servers:`,
      `${at(5)}- url: http://127.0.0.1:${i + 1}`,
    );
  lines.push('tls:', `${at(1)}options: {}`, '');
  return lines.join(isCrlf ? '\r\n' : '\n');
}

interface LineEdit {
  readonly at: number;
  readonly action: 'delete' | 'twice' | 'swap' | 'in' | 'out' | 'empty' | 'comment' | 'put' | 'move' | 'join';
  readonly text: string;
  readonly count: number;
}

const texts = [
  'tls:',
  '  services:',
  '    new:',
  '      rule: Path(`/`)',
  '    app-3:',
  '- auth',
  '      - x',
  '# only words',
  '    ? odd',
  '    : 1',
  '    <<: {rule: x}',
  '    &a app-9:',
  '    *a : 1',
  '    "app-7":',
  "    'app-8' :",
  '\t',
  '...',
  '--- ',
  '%YAML 1.2',
  '    app-4: {rule: "',
  '    app-5: [1, 2',
  '    app-6: |2',
  '      key with: two: colons',
  '    new2: !!str {}',
  '    null:',
  '    1:',
  '    1.0: x',
  '    true: y',
  '    ~:',
  '    "a\\nb":',
  '    é:',
  '   odd: 1',
  '    {a: 1}: 2',
  '}',
  ']',
  '"',
  "'",
  '    x: "a',
  '    y: b"',
  '\u2028',
  '\u0085',
  '\ufeff',
  '    z: \u{1f600}',
] as const;
const edit: fc.Arbitrary<LineEdit> = fc.record({
  at: fc.nat(10_000),
  action: fc.constantFrom(
    'delete',
    'twice',
    'swap',
    'in',
    'out',
    'empty',
    'comment',
    'put',
    'put',
    'put',
    'move',
    'join',
  ),
  text: fc.constantFrom(...texts),
  count: fc.integer({ min: 1, max: 6 }),
});

function edited(text: string, { at, action, text: put, count }: LineEdit): string {
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = text.split(end);
  const i = at % lines.length;
  const some = lines.slice(i, i + count);
  const replace = (...by: string[]): void => void lines.splice(i, some.length, ...by);
  switch (action) {
    case 'delete':
      replace();
      break;
    case 'twice':
      replace(...some, ...some);
      break;
    case 'swap':
      replace(...some.toReversed());
      break;
    case 'in':
      replace(...some.map((line) => ` ${line}`));
      break;
    case 'out':
      replace(...some.map((line) => line.replace(/^ /, '')));
      break;
    case 'empty':
      replace('', ...some);
      break;
    case 'comment':
      replace(...some.map((line) => `# ${line}`));
      break;
    case 'move':
      replace();
      lines.splice((at * 31) % lines.length, 0, ...some);
      break;
    case 'join':
      replace(some.join(' '));
      break;
    default:
      lines.splice(i, 0, put);
  }
  return lines.join(end);
}

const hand = fc.record({
  indent: fc.constantFrom(2, 4, 1),
  isCrlf: fc.boolean(),
  isQuoted: fc.boolean(),
});

test('a text edited line by line reads as it would be read for the first time, edit after edit', () => {
  let inPart = 0;
  fc.assert(
    fc.property(hand, fc.array(edit, { minLength: 1, maxLength: 4 }), (how, edits) => {
      let text = written(how);
      let memory: YamlMemory | null = parseYamlAgain(text, 'f.yml', null).memory;
      for (const one of edits) {
        text = edited(text, one);
        const again = parseYamlAgain(text, 'f.yml', memory);
        assert.deepEqual(again.parsed, parseYaml(text, 'f.yml'));
        if (again.moved.size > 0) inPart += 1;
        memory = again.memory;
      }
    }),
    { numRuns: Number(process.env['FUZZ'] ?? 40) },
  );
  assert.ok(inPart > 0, 'some edits are read in part');
});
