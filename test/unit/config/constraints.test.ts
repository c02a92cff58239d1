// Constraints: the language, its bounds, its mistakes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConstraints } from '../../../src/config/constraints.ts';

const labels = { 'a.tag': 'public', tier: 'web-2', 'traefik.enable': 'true' };

function check(text: string): boolean {
  const parsed = parseConstraints(text);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.message);
  return parsed.matches(labels);
}

function problem(text: string): string {
  const parsed = parseConstraints(text);
  assert.ok(!parsed.ok, text);
  return `${parsed.message}; ${parsed.hint ?? ''}`;
}

test('an empty expression fits every container', () => {
  assert.equal(check(''), true);
  assert.equal(check('  '), true);
});

test('Label compares the whole value, LabelRegex looks anywhere in it', () => {
  assert.equal(check('Label(`a.tag`,`public`)'), true);
  assert.equal(check('Label(`a.tag`,`pub`)'), false);
  assert.equal(check('LabelRegex(`tier`, `web`)'), true);
  assert.equal(check('LabelRegex(`tier`, `^eb`)'), false);
});

test('a label that is not there matches nothing, not even an empty value', () => {
  assert.equal(check('Label(`none`, ``)'), false);
  assert.equal(check('LabelRegex(`none`, `.*`)'), false);
  assert.equal(check('LabelRegex(`constructor`, `.*`)'), false);
  assert.equal(check('!Label(`none`, ``)'), true);
});

test('not binds tighter than and, and binds tighter than or', () => {
  assert.equal(check('Label(`a`,`b`) && Label(`a`,`b`) || Label(`a.tag`,`public`)'), true);
  assert.equal(check('Label(`a`,`b`) && (Label(`a`,`b`) || Label(`a.tag`,`public`))'), false);
  assert.equal(check('!Label(`a`,`b`) && LabelRegex(`tier`,`[0-9]$`)'), true);
});

test('a mistake is told with its place', () => {
  assert.match(problem('Lable(`a`,`b`)'), /character 1: unknown function Lable/);
  assert.match(problem('Tag(`a`)'), /containers have labels/);
  assert.match(problem('Label(`a`)'), /takes 2 arguments, 1 given/);
  assert.match(problem('LabelRegex(`a`, `(`)'), /character 1/);
  assert.match(problem('Label(`a`,`b`) &&'), /character/);
});

test('length and depth are bounded', () => {
  assert.match(problem(`Label(\`a\`,\`${'b'.repeat(9000)}\`)`), /longer than 8192/);
  assert.match(problem(`${'('.repeat(200)}Label(\`a\`,\`b\`)${')'.repeat(200)}`), /nested/);
});
