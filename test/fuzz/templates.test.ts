// Templates of dynamic files: what they print, that they end, and that what is wrong has a place and no secret.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { renderTemplate } from '../../src/providers/file/template.ts';
import { applyChanges, changes, cpuTime, fuzz, property, soup } from './fuzz.ts';

const env = { HOST: 'shop.example.com', SECRET: 'env-canary', EMPTY: '', LIST: 'a,b,c' };

/** A template and what it prints. */
type Pair = readonly [template: string, printed: string];

const plainText = fc.constantFrom('a', ' ', '\n', 'x: y', '}}', '{ ', 'é', '"');
const texts: fc.Arbitrary<Pair> = fc.letrec<{ text: Pair }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc
      .string({ unit: fc.constantFrom('a', 'B', ' ', '.', 'é', ','), maxLength: 5 })
      .map((text): Pair => [JSON.stringify(text), text]),
    fc.constantFrom<Pair>(['(env "HOST")', env.HOST], ['(env "NONE")', ''], ['`r\\`', 'r\\']),
    tie('text').map(([t, p]): Pair => [`(upper ${t})`, p.toUpperCase()]),
    tie('text').map(([t, p]): Pair => [`(${t} | lower)`, p.toLowerCase()]),
    fc.tuple(tie('text'), tie('text')).map(([[t, p], [u, q]]): Pair => [`(print ${t} ${u})`, p + q]),
    fc
      .tuple(tie('text'), tie('text'))
      .map(([[t, p], [u, q]]): Pair => [`(default ${t} ${u})`, q === '' ? p : q]),
    fc
      .tuple(tie('text'), tie('text'), tie('text'))
      .map(([[t, p], [u, q], [v, r]]): Pair => [`(ternary ${t} ${u} (eq ${v} "a"))`, r === 'a' ? p : q]),
    fc
      .tuple(tie('text'), tie('text'))
      .map(([[t, p], [u, q]]): Pair => [`(trimPrefix ${t} ${u})`, q.startsWith(p) ? q.slice(p.length) : q]),
    fc
      .tuple(tie('text'), tie('text'))
      .map(([[t, p], [u, q]]): Pair => [`(replace "." ${t} ${u})`, q.split('.').join(p)]),
    fc
      .tuple(tie('text'), tie('text'))
      .map(
        ([[t, p], [u, q]]): Pair => [
          `(printf "%s-%5s|%03d" ${t} ${u} (len ${t}))`,
          `${p}-${q.padStart(5)}|${String(Buffer.byteLength(p)).padStart(3, '0')}`,
        ],
      ),
  ),
})).text;
const nodes: fc.Arbitrary<Pair> = fc.letrec<{ node: Pair; list: Pair }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    plainText.map((text): Pair => [text, text]),
    texts.map(([t, p]): Pair => [`{{ ${t} }}`, p]),
    fc
      .tuple(texts, tie('list'), tie('list'))
      .map(([[t, p], [b, q], [c, r]]): Pair => [`{{if ${t}}}${b}{{else}}${c}{{end}}`, p === '' ? r : q]),
    fc
      .tuple(fc.nat(4), tie('list'))
      .map(
        ([n, [b, q]]): Pair => [
          `{{range $i, $e := until ${n}}}{{$i}}${b}{{end}}`,
          Array.from({ length: n }, (_, i) => i + q).join(''),
        ],
      ),
    fc
      .tuple(texts, tie('list'))
      .map(([[t, p], [b, q]]): Pair => [`{{with ${t}}}{{.}}${b}{{end}}`, p === '' ? '' : p + q]),
    fc
      .tuple(texts, fc.boolean())
      .map(
        ([[t, p], sets]): Pair => [
          `{{$v := "old"}}{{if true}}{{$v ${sets ? '=' : ':='} ${t}}}{{end}}{{$v}}`,
          sets ? p : 'old',
        ],
      ),
    fc.constant<Pair>(['{{/* nothing }} */}}', '']),
  ),
  list: fc
    .array(tie('node'), { maxLength: 3 })
    .map((list): Pair => [list.map(([t]) => t).join(''), list.map(([, p]) => p).join('')]),
})).list;

const pieces = [
  '{{',
  '}}',
  '{{-',
  ' -}}',
  ' ',
  '"',
  '`',
  '\\',
  '(',
  ')',
  '|',
  '.',
  '.a',
  '$',
  '$x',
  ':=',
  '=',
  ',',
  'if ',
  'else',
  'end',
  'range ',
  'with ',
  'define "a"',
  'break',
  'env "SECRET"',
  'until 5',
  'seq 1 3',
  'split (env "LIST") ","',
  'index ',
  'len ',
  'printf "%d" ',
  'add 1 ',
  '1',
  '-1',
  '1e9',
  '0x',
  'nil',
  'true',
  'eq ',
  'and ',
  'or ',
  '/*',
  '*/',
  '\n',
  'é',
  '\0',
  '\ud800',
  'toString',
  '__proto__',
];
const heavy = [
  '{{$s = printf "%s%s" $s $s}}',
  '{{$s = upper $s}}',
  '{{$s = replace "a" "aa" $s}}',
  '{{$s}}',
  '{{$t := join $s (split $s "")}}',
  '{{$l = list $l $l}}',
  '{{len (printf "%v" $l)}}',
  '{{$s = title $s}}',
  '{{if contains "b" $s}}x{{end}}',
  '{{$s = trimAll "b" $s}}',
  '{{$t := normalize $s}}',
  '{{$t := quote $s $s}}',
  '{{range until 999}}',
  '{{range until 999999}}',
  '{{range split $s ""}}',
  '{{if eq $s "b"}}y{{end}}',
  '{{$t := seq 999999}}',
  '{{$l = until 300000}}',
  '{{$t := join "," $l}}',
  '{{$t := print $l}}',
];

fuzz('templates', [
  property(
    'a template prints what it says',
    nodes,
    ([template, printed]) => {
      const rendered = renderTemplate(template, 'x.yml', env);
      assert.ok(rendered.ok, `${rendered.ok ? '' : rendered.diagnostic.message}: ${template}`);
      assert.equal(rendered.text, printed, template);
    },
    1_000,
  ),
  property(
    'garbage is refused at a place within it, and no message holds what the environment does',
    fc.oneof(
      soup(pieces, 20).map((text) => `{{${text}`),
      fc
        .tuple(nodes, changes(fc.constantFrom(...pieces), 3))
        .map(([[template], edits]) => applyChanges(template, edits)),
    ),
    (text) => {
      const rendered = renderTemplate(text, 'x.yml', env);
      if (rendered.ok) return;
      const { message, where } = rendered.diagnostic;
      const lines = text.split('\n');
      assert.ok(!message.includes('canary') && !message.includes(env.HOST), message);
      assert.ok(message.length < 400 && !message.includes('\n'));
      if (where.line === undefined) assert.match(message, /too large or too deep/);
      else {
        const line = lines[where.line - 1];
        assert.ok(
          line !== undefined && (where.column ?? 0) >= 1 && (where.column ?? 0) <= line.length + 1,
          `${where.line}:${where.column}`,
        );
      }
    },
    3_000,
  ),
  property(
    'whatever it repeats and doubles, a template ends soon',
    fc.tuple(fc.nat(22), fc.array(fc.constantFrom(...heavy), { minLength: 1, maxLength: 6 })),
    ([doubled, list]) => {
      const ranges = list.filter((piece) => piece.startsWith('{{range')).length;
      const text = `{{$s := "ab"}}{{$l := list 1}}{{range until ${doubled}}}{{$s = print $s $s}}{{end}}{{range until 99999}}${list.join('')}${'{{end}}'.repeat(ranges + 1)}`;
      let rendered: ReturnType<typeof renderTemplate> | null = null;
      const spent = cpuTime(() => (rendered = renderTemplate(text, 'x.yml', env)));
      assert.ok(spent < 5_000, `${spent} ms`);
      assert.ok(rendered !== null);
    },
    15,
  ),
  property(
    'depth is bounded',
    fc.tuple(
      fc.constantFrom('{{if true}}', '{{range until 1}}', '{{(', '{{printf (', '{{else if true}}'),
      fc.integer({ min: 1, max: 20_000 }),
    ),
    ([unit, count]) => {
      const isInner = unit.endsWith('(');
      const text = isInner
        ? `{{${unit.slice(2).repeat(count)}1${')'.repeat(count)}}}`
        : unit === '{{else if true}}'
          ? `{{if false}}${unit.repeat(count)}{{end}}`
          : unit.repeat(count) + '{{end}}'.repeat(count);
      const rendered = renderTemplate(text, 'x.yml', env);
      if (count > 100) assert.ok(!rendered.ok);
      else
        assert.ok(
          rendered.ok || unit === '{{printf (' || unit === '{{(',
          rendered.ok ? '' : rendered.diagnostic.message,
        );
    },
    60,
  ),
]);
