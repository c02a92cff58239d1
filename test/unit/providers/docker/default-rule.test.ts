// The default rule's template: what it knows of a container, and what it doesn't.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileDefaultRule } from '../../../../src/providers/docker/default-rule.ts';
import { container } from './containers.ts';

const shop = container('Shop_1', { 'a.b': 'x', plain: 'y', zone: 'eu' });

function made(template: string, env: NodeJS.ProcessEnv = {}): string {
  const compiled = compileDefaultRule(template, env);
  if ('problem' in compiled) return `! ${compiled.problem}`;
  const found = compiled.render(shop);
  return 'problem' in found ? `! ${found.problem}` : found.rule;
}

test('names and labels', () => {
  assert.equal(made('{{ .Name }} {{ .ContainerName }}'), 'Shop-1 Shop_1');
  assert.equal(made('{{ index .Labels "a.b" }}{{ .Labels.plain }}{{ $.Labels.zone }}'), 'xyeu');
  assert.equal(
    made('{{ normalize .ContainerName | lower }}.{{ env "BASE" }}', { BASE: 'example.com' }),
    'shop-1.example.com',
  );
});

test('a label that is not there is empty by index and no value by field', () => {
  assert.equal(made('[{{ index .Labels "none" }}]'), '[]');
  assert.equal(made('[{{ .Labels.none }}]'), '[<no value>]');
  assert.equal(made('{{ if index .Labels "none" }}a{{ else }}b{{ end }}'), 'b');
  assert.equal(made('[{{ index .Labels "constructor" }}]'), '[]');
});

test('labels can be walked through in the order of their names', () => {
  assert.equal(
    made('{{ range $name, $value := .Labels }}{{ $name }}={{ $value }};{{ end }}'),
    'a.b=x;plain=y;zone=eu;',
  );
  assert.equal(made('{{ len .Labels }}{{ with .Labels }}{{ .zone }}{{ end }}'), '3eu');
});

test('mistakes are told and nothing is thrown', () => {
  assert.match(made('{{ .Nmae }}'), /^! \.Nmae: there are Name, ContainerName, Labels/);
  assert.match(made('{{ .Name.x }}'), /^! \.Name\.x: there are no fields here/);
  assert.match(made('{{ nope .Name }}'), /^! the function nope is not supported/);
  assert.match(made('{{ if .Name }}'), /^! this \{\{ if \}\} has no/);
  assert.match(made('{{ index .Labels 1 }}'), /^! index: expected a text/);
  assert.match(made('a'.repeat(20_000)), /^! it is longer than 16384/);
});

test('a rule is trimmed', () => {
  assert.equal(made('  Host(`a`)\n'), 'Host(`a`)');
});
