// How a rule is written: Go's expressions, their errors and what the errors advise.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileRule } from '../../../src/rules/compile.ts';
import { maxRuleDepth, maxRuleLength } from '../../../src/rules/parser.ts';
import { defaultPriority } from '../../../src/rules/priority.ts';
import { accept, checkRows, refuse, subject } from './rows.ts';

test('operators bind as in Go and blanks are free', () => {
  const onApi = { routePath: '/api' };
  checkRows([
    ['Host(`a`) || Host(`example.com`) && Path(`/api`)', { host: 'a' }, true],
    ['(Host(`a`) || Host(`example.com`)) && Path(`/api`)', { host: 'a' }, false],
    ['  Host ( `example.com` )&&\n\tPath(`/api`)\n', onApi, true],
    ['!Host(`a`) && Path(`/api`)', onApi, true],
    ['!(Host(`a`) || Path(`/api`))', onApi, false],
    ['!(Host(`a`) && Path(`/api`))', onApi, true],
    ['!!Path(`/api`)', onApi, true],
    ['! ! !Path(`/api`)', onApi, false],
    ['Host(`example.com`,) // the shop', onApi, true],
    ['/* all */ Host(`example.com`)', onApi, true],
  ]);
});

test('matcher names are known in four spellings and no other', () => {
  for (const name of ['PathPrefix', 'pathprefix', 'PATHPREFIX', 'Pathprefix']) {
    assert.equal(accept(`${name}(\`/\`)`).match(subject()), true);
  }
  assert.match(refuse('pathPrefix(`/`)').hint ?? '', /PathPrefix/);
});

test('double quotes take Go’s escapes and back-quotes none', () => {
  checkRows([
    ['Path("/a b")', { routePath: '/a b' }, true],
    ['PathRegexp("^/\\\\d+$")', { routePath: '/12' }, true],
    ['PathRegexp(`^/\\d+$`)', { routePath: '/12' }, true],
    ['Path("/\\x41\\102\\u0043\\U0001F600")', { routePath: '/ABC😀' }, true],
    ['Path("/\\xc3\\xa4")', { routePath: '/ä' }, true],
    ['Path("/\\"")', { routePath: '/"' }, true],
    ['Path(`/\\n`)', { routePath: '/\\n' }, true],
  ]);
  for (const text of [
    'Path("/\\d")',
    'Path("/\\\'")',
    'Path("/\\400")',
    'Path("/\\ud800")',
    'Path("/\n")',
    'Path("/',
  ]) {
    refuse(text);
  }
});

test('every fault is refused where it stands, with what to write instead', () => {
  const rows: readonly (readonly [string, number, RegExp | null])[] = [
    ['', 0, /Host/],
    ['  \n', 0, /Host/],
    ['Host(`a`,`b`)', 0, /Host\(`a`\) \|\| Host\(`b`\)/],
    ['Path(`/`) && PathPrefix(`/a`, `/b`)', 13, /PathPrefix\(`\/a`\) \|\| PathPrefix\(`\/b`\)/],
    ["Host('a.b')", 5, /`a\.b`/],
    ['Host(a.b)', 6, /`a\.b`/],
    ['Host(localhost)', 5, /Host\(`localhost`\)/],
    ['Host(*)', 5, /`\*`/],
    ['Path(`api`)', 5, /Path\(`\/api`\)/],
    ['PathPrefix(`a.b/api`)', 11, /Host\(`a\.b`\) && PathPrefix\(`\/api`\)/],
    ['PathPrefx(`/`)', 0, /PathPrefix/],
    ['Headers(`a`, `b`)', 0, /Header\(/],
    ['HeadersRegexp(`a`, `b`)', 0, /HeaderRegexp\(/],
    ['HostHeader(`a`)', 0, /Host\(/],
    ['HostSNI(`a`)', 0, /TCP/],
    ['Frobnicate(`a`)', 0, /known matchers/],
    ['Host:a.b', 4, /Host\(`a\.b`\)/],
    ['Host(`a`) & Path(`/`)', 10, /&&/],
    ['Host(`a`) | Path(`/`)', 10, /\|\|/],
    ['Host(`a`) Path(`/`)', 10, /join/],
    ['Host(`a`)\n&& Path(`/`)', 9, /end the line/],
    ['(Host(`a`)\n|| Path(`/`))', 10, /end the line/],
    ['Host(`a`', 8, /\)/],
    ['(Host(`a`)', 10, /\)/],
    ['Host(`a`))', 9, /remove/],
    ['Host(`a', 5, /back-quote/],
    ['Host(`a`) &&', 12, /operator/],
    ['&& Host(`a`)', 0, null],
    ['`a`', 0, /Host\(`a`\)/],
    ['Host', 0, /Host\(/],
    ['Host()', 0, /Host\(`…`\)/],
    ['Host(``)', 5, null],
    ['Header(`a`)', 0, /Header\(`a`, `…`\)/],
    ['Header(`a`, ``)', 12, null],
    ['Query(`a`,`b`,`c`)', 0, null],
    ['Host(`münchen.de`)', 5, /xn--mnchen-3ya\.de/],
    ['HostRegexp(`ä`)', 11, null],
    ['PathRegexp(`^(?!/api)`)', 11, /look-ahead/],
    ['HeaderRegexp(`a`, `(`)', 18, null],
    ['ClientIP(`10.0.0.0/33`)', 9, null],
    ['ClientIP(`somewhere`)', 9, null],
    ['Host(“a”)', 5, /typographic/],
  ];
  for (const [text, offset, hint] of rows) {
    const error = refuse(text);
    assert.equal(error.offset, offset, `${text}: ${error.message}`);
    assert.notEqual(error.message, '');
    if (hint !== null) assert.match(error.hint ?? '', hint, text);
  }
});

test('length and nesting are bounded, breadth is not', () => {
  refuse(`Path(\`/${'a'.repeat(maxRuleLength)}\`)`);
  refuse(`${'('.repeat(maxRuleDepth + 1)}Host(\`a\`)${')'.repeat(maxRuleDepth + 1)}`);
  refuse(`${'!'.repeat(maxRuleDepth + 1)}Host(\`a\`)`);
  refuse('('.repeat(maxRuleLength));
  refuse('!'.repeat(maxRuleLength));
  accept(`${'('.repeat(maxRuleDepth)}Host(\`a\`)${')'.repeat(maxRuleDepth)}`);
  accept(Array.from({ length: 4_000 }, (_, i) => `Host(\`${i}\`)`).join(' || '));
});

test('what is said about a rule is bounded however long the rule is', () => {
  const error = refuse(`Path(\`/${'a'.repeat(30_000)}\`, \`/b\`)`);
  assert.ok(error.message.length < 1_100 && (error.hint ?? '').length < 1_100);
  assert.ok(refuse(`PathRegexp(\`(${'a'.repeat(15_000)}\`)`).message.length < 1_100);
});

test('no text makes the compiler throw', () => {
  const part = fc.constantFrom(
    'Host',
    'Path',
    'Query',
    'hostregexp',
    '(',
    ')',
    '`',
    '"',
    '`/`',
    '`a`',
    ',',
    '!',
    '&&',
    '||',
    '\n',
    ' ',
    '\\',
    '{',
    '}',
    '😀',
    '*',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 20 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, fc.constantFrom('v2' as const, 'v3' as const), (rule, syntax) => {
      const result = compileRule(rule, syntax);
      if (!result.ok) assert.ok(result.error.offset >= 0 && result.error.offset <= rule.length);
    }),
    { numRuns: 2_000 },
  );
});

test('the default priority is the length in bytes, quotes and blanks included', () => {
  assert.equal(defaultPriority('Host(`a.b`)'), 11n);
  assert.equal(defaultPriority(' Path(`/ä`) '), 13n);
});
