// Diagnostics as people, programs and workflow logs get them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatLine,
  renderAnnotations,
  renderJson,
  renderTty,
  sortDiagnostics,
} from '../../../src/config/diagnostics.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';

const first: Diagnostic = {
  severity: 'error',
  code: 'config.unknown_key',
  message: 'unknown key `x`',
  where: { source: 'a.yml', line: 2, column: 3, path: 'x' },
  hint: 'did you mean `y`?',
};
const second: Diagnostic = {
  severity: 'warning',
  code: 'config.no_effect',
  message: 'no effect',
  where: { source: 'flag', path: 'metrics' },
};

test('they are sorted by source, line and column', () => {
  const later = { ...first, where: { ...first.where, line: 10 } };
  assert.deepEqual(sortDiagnostics([second, later, first]), [first, later, second]);
});

test('a terminal gets place, frame with caret and hint', () => {
  const shown = renderTty([second, first], { color: false, textOf: () => 'a: 1\n  x: 2\n' });
  assert.equal(
    shown,
    'a.yml:2:3 error unknown key `x` [config.unknown_key]\n  2 |   x: 2\n    |   ^\n  hint: did you mean `y`?\n--metrics warning no effect [config.no_effect]\n',
  );
});

test('colours come only when asked for', () => {
  const escape = String.fromCharCode(27);
  assert.ok(renderTty([first], { color: true }).includes(escape));
  assert.ok(!renderTty([first], { color: false }).includes(escape));
});

test('control characters of a file never reach the terminal', () => {
  const escape = String.fromCharCode(27);
  const evil: Diagnostic = { ...first, message: `a${escape}[2Jb` };
  assert.ok(!renderTty([evil], { color: false, textOf: () => `\n${escape}]0;x` }).includes(escape));
  assert.ok(!formatLine(evil).includes(escape));
});

test('a line that may hold a secret is not framed', () => {
  const secret: Diagnostic = { ...first, where: { ...first.where, path: 'providers.docker.password' } };
  assert.ok(!renderTty([secret], { color: false, textOf: () => '\nhunter2' }).includes('hunter2'));
  assert.ok(!renderTty([first], { color: false, textOf: () => '\n  token: hunter2' }).includes('hunter2'));
});

test('programs get JSON, workflow logs one escaped line each', () => {
  assert.deepEqual(JSON.parse(renderJson([first])), [first]);
  const broken = { ...first, message: '50%\nof it' };
  assert.equal(
    renderAnnotations([broken]),
    '::error file=a.yml,line=2,col=3,title=config.unknown_key::50%25%0Aof it; did you mean `y`?\n',
  );
  assert.equal(renderAnnotations([second]), '::warning title=config.no_effect::--metrics: no effect\n');
});
