// The template subset: what it prints, what it refuses, and where it stops.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderTemplate } from '../../../src/providers/file/template.ts';

const env = { HOST: 'shop.example.com', PORTS: '8001,8002', EMPTY: '' };

function render(text: string): string {
  const rendered = renderTemplate(text, 'x.yml', env);
  if (!rendered.ok) assert.fail(JSON.stringify(rendered.diagnostic));
  return rendered.text;
}

function problem(text: string): string {
  const rendered = renderTemplate(text, 'x.yml', env);
  assert.ok(!rendered.ok, 'expected the template to be refused');
  const { line, column } = rendered.diagnostic.where;
  return `${line}:${column} ${rendered.diagnostic.message}`;
}

const table: readonly (readonly [string, string])[] = [
  ['a {{ env "HOST" }} b', 'a shop.example.com b'],
  ['{{ env "MISSING" }}', ''],
  ['{{ env "EMPTY" | default "x" }}', 'x'],
  ['{{ default "x" (env "HOST") | upper }}', 'SHOP.EXAMPLE.COM'],
  ['{{`{{ raw }}`}}', '{{ raw }}'],
  ['{{ "a\\tb\\u0041\\"" }}', 'a\tbA"'],
  ['a {{- /* gone */ -}} b', 'ab'],
  ['a {{/* gone */}} b', 'a  b'],
  ['a\n  {{- if true }}\n  b\n  {{- end }}\nc', 'a\n  b\nc'],
  ['{{ if eq (env "HOST") "x" }}1{{ else if hasPrefix "shop" (env "HOST") }}2{{ else }}3{{ end }}', '2'],
  ['{{ if not true }}1{{ else }}2{{ end }}', '2'],
  [
    '{{ with env "HOST" }}<{{ . }}>{{ end }}{{ with env "EMPTY" }}x{{ else }}none{{ end }}',
    '<shop.example.com>none',
  ],
  ['{{ range $i, $p := split (env "PORTS") "," }}{{ $i }}={{ $p }};{{ end }}', '0=8001;1=8002;'],
  ['{{ range split "" "," }}{{ else }}none{{ end }}', ''],
  ['{{ range list }}x{{ else }}none{{ end }}', 'none'],
  [
    '{{ range until 3 }}{{ . }}{{ end }} {{ range untilStep 4 0 -2 }}{{ . }}{{ end }} {{ seq 1 3 }}',
    '012 42 1 2 3',
  ],
  ['{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}', '2'],
  ['{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}', '1'],
  ['{{ index (split "a,b,c" ",") 1 }}', 'b'],
  ['{{ len "äb" }} {{ len (list 1 2) }}', '3 2'],
  ['{{ and "a" "" "b" }}|{{ or "" "c" "d" }}|{{ and true (or false 7) }}', '|c|7'],
  [
    '{{ lt 1 2 }} {{ ge "b" "a" }} {{ ne 1 2 }} {{ le 2 1 }} {{ gt 2 1 }} {{ eq 3 1 2 3 }}',
    'true true true false true true',
  ],
  ['{{ printf "%s-%03d %q %v%%" "a" 7 "b" true }}', 'a-007 "b" true%'],
  ['{{ "a b" | title }} {{ trim "  x " }} {{ trimPrefix "a" "ab" }} {{ trimSuffix "b" "ab" }}', 'A B x b a'],
  [
    '{{ replace "." "-" "a.b.c" }} {{ join "," (list 1 2) }} {{ contains "b" "abc" }} {{ quote "x" 1 }}',
    'a-b-c 1,2 true "x" "1"',
  ],
  [
    '{{ range $n, $p := dict "b" 2 "a" (list 1) }}{{ $n }}={{ $p }};{{ end }}{{ $d := dict "x" (dict "y" 1) }}{{ $d.x.y }}{{ $d.z }}',
    'a=[1];b=2;1<no value>',
  ],
  [
    '{{ range list (dict "host" "a" "tls" (dict)) (dict "host" "b") }}{{ .host }}{{ if .tls }}!{{ end }}{{ if .no }}?{{ end }}{{ end }}',
    'ab',
  ],
  [
    '{{ $d := dict "a" 1 "b" 2 }}{{ hasKey $d "a" }} {{ hasKey $d "c" }} {{ get $d "b" }}{{ get $d "c" }} {{ keys $d }} {{ values $d }}',
    'true false 2 [a b] [1 2]',
  ],
  [
    '{{ $l := tuple "a" "b" "c" }}{{ first $l }}{{ last $l }} {{ rest $l }} {{ initial $l }} {{ slice $l 1 2 }} {{ has "b" $l }} {{ first (list) }}',
    'ac [b c] [a b] [b] true <no value>',
  ],
  [
    '{{ append (list 1) 2 }} {{ prepend (list 1) 2 }} {{ concat (list 1) (list 2 3) }} {{ uniq (list "a" "b" "a") }} {{ compact (list "" "a" 0) }} {{ without (list 1 2 3) 2 }} {{ sortAlpha (list "b" "a") }} {{ reverse (list 1 2) }}',
    '[1 2] [2 1] [1 2 3] [a b] [a] [1 3] [a b] [2 1]',
  ],
  [
    '{{ trunc 3 "abcde" }} {{ trunc -2 "abcde" }} {{ substr 1 3 "abcde" }} {{ repeat 3 "ab" }} {{ nospace " a b " }} {{ cat "a" 1 "b" }} {{ trimAll "/" "/a/" }}',
    'abc de bc ababab ab a 1 b a',
  ],
  ['{{ indent 2 "a\\nb" }}|{{ nindent 2 "a\\nb" }}', '  a\n  b|\n  a\n  b'],
  ['{{ b64enc "häh" }} {{ b64dec "aMOkaA==" }} {{ urlquery "a b&c" }}', 'aMOkaA== häh a+b%26c'],
  [
    '{{ div 7 2 }} {{ div -7 2 }} {{ mod 7 4 }} {{ add1 1 }} {{ max 1 3 2 }} {{ min 2 1 }} {{ atoi "7" }} {{ atoi "x" }} {{ int64 "7" }}',
    '3 -3 3 2 3 1 7 0 7',
  ],
  ['{{ expandenv "http://$HOST:${NOPE}80" }}', 'http://shop.example.com:80'],
  ['{{ normalize "app_shop.x" }} {{ lower "AB" }} {{ hasSuffix "c" "abc" }}', 'app-shop-x ab true'],
];

for (const [index, [template, expected]] of table.entries()) {
  test(`a template prints what Go's would (${index}: ${template.replaceAll('\n', '⏎').slice(0, 60)})`, () => {
    assert.equal(render(template), expected);
  });
}

test('a text without actions stays byte for byte', () => {
  const text = 'a: "}}"\n\tb: { c: 1 }\n';
  assert.equal(render(text), text);
});

test('what is not there is refused with line and column', () => {
  assert.match(problem('a\n  {{ nope "x" }}'), /^2:6 .*the function nope is not supported/);
  assert.match(problem('{{ .Name }}'), /^1:4 .*no fields/);
  assert.match(problem('{{ define "x" }}{{ end }}'), /define \}\} is not supported/);
  assert.match(problem('{{ template "x" }}'), /not supported/);
  assert.match(problem('{{ $x }}'), /\$x is not declared/);
  assert.match(problem('{{ $x = 1 }}'), /before := declares it/);
  assert.match(problem('{{ if true }}'), /^1:1 .*no \{\{ end \}\}/);
  assert.match(problem('x {{ end }}'), /^1:3 .*without an if/);
  assert.match(problem('{{ "abc'), /never closed/);
  assert.match(problem('{{ env "HOST" '), /never closed/);
  assert.match(problem('{{ lower 1 }}'), /lower: expected a text, got a number/);
  assert.match(problem('{{ lower }}'), /takes 1 arguments, 0 given/);
  assert.match(problem('{{ index (list 1) 3 }}'), /outside a list of 1/);
  assert.match(problem('{{ @ }}'), /unexpected character/);
  assert.match(problem('{{}}'), /a value is missing/);
});

test('a function that is not there is refused with the one that was meant, or with all there are', () => {
  const hint = (text: string): string | undefined => {
    const rendered = renderTemplate(text, 'x.yml', env);
    return rendered.ok ? undefined : rendered.diagnostic.hint;
  };
  assert.equal(hint('{{ spltList "," "a" }}'), 'did you mean splitList?');
  assert.match(hint('{{ uuidv4 }}') ?? '', /there are add, .* upper.*; to write \{\{ itself, use/);
});

test('a list in itself over and over is refused, however short the template', () => {
  const list = '{{ $x := list "a" }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}{{ $x }}';
  assert.match(problem(list), /list: makes a value of more than 16777216 characters/);
  const map = '{{ $x := dict "a" 1 }}{{ range until 60 }}{{ $x = dict "b" $x "c" $x }}{{ end }}{{ $x }}';
  assert.match(problem(map), /dict: makes a value of more than/);
  const joined =
    '{{ $x := list "a" }}{{ range until 20 }}{{ $x = list $x $x }}{{ end }}{{ range until 9999 }}{{ $y := print $x }}{{ end }}';
  assert.match(problem(joined), /more than 1000000 steps/);
  const printed =
    '{{ $x := list "a" }}{{ range until 20 }}{{ $x = list $x $x }}{{ end }}{{ range until 9999 }}{{ $x }}{{ end }}';
  assert.match(problem(printed), /more than/);
  assert.match(problem('{{ repeat 99999999 "abc" }}'), /more than 16777216 characters/);
  assert.match(problem('{{ indent 99999999 "abc" }}'), /more than 16777216 characters/);
  assert.match(problem('{{ dict "a" }}'), /dict: expected a value for each key/);
  assert.match(problem('{{ div 1 0 }}'), /div: a division by zero/);
});

test('values of the environment never reach a message', () => {
  for (const template of [
    '{{ add (env "HOST") 1 }}',
    '{{ printf (env "HOST") 1 }}',
    '{{ index (env "HOST") 0 }}',
  ]) {
    assert.doesNotMatch(problem(template), /shop\.example/);
  }
});

test('loops, texts and nesting are bounded', () => {
  assert.match(problem('{{ range until 2000000 }}x{{ end }}'), /more than 1000000 steps/);
  assert.match(
    problem('{{ range until 1000 }}{{ range until 1000 }}{{ range until 9 }}x{{ end }}{{ end }}{{ end }}'),
    /steps/,
  );
  const doubling = '{{ $x := "aaaaaaaa" }}{{ range until 60 }}{{ $x = printf "%s%s" $x $x }}{{ end }}';
  assert.match(problem(doubling), /more than 16777216 characters/);
  assert.match(
    problem('{{ $x := "aaaaaaaaaa" }}{{ range until 8 }}{{ $x = replace "a" $x $x }}{{ end }}'),
    /more than/,
  );
  assert.match(problem(`{{ if true }}`.repeat(200)), /blocks in blocks/);
  assert.match(problem(`{{ ${'('.repeat(200)}1 }}`), /parentheses/);
});
