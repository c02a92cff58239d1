// What the documents say in passing: links, keys, flags, error codes, files. Each is looked for where it should be.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stripTypeScriptTypes } from 'node:module';
import { test } from 'node:test';
import { at, checkout, commandsOf, parseDocument, readDocuments } from '../support/docs.ts';

const documents = readDocuments();
const codes = documents
  .filter(({ doc }) => doc !== 'docs/configuration.md')
  .flatMap((document) => document.codes);

/** Languages of blocks, and who looks at them. */
const languages: Readonly<Record<string, string>> = {
  '': 'e2e/docs-commands',
  sh: 'e2e/docs-commands, e2e/docs-walks',
  yaml: 'integration/docs-configs',
  toml: 'integration/docs-configs',
  json: 'integration/docs-configs',
  ts: 'below',
  mermaid: 'nobody: a picture',
  text: 'nobody: what another program is given, or gives',
};

test('blocks, code, links and headings are found', () => {
  const text =
    '# A `b` c\n\n<!-- run: as=x.yml why="two words" -->\n```yaml\na: 1\n```\n[x](y.md#a-b-c) `c \\| d`\n# A b c\n';
  const { blocks, links, codes: found, anchors } = parseDocument('x.md', text);
  assert.equal(blocks[0]?.text, 'a: 1\n');
  assert.deepEqual(
    [...(blocks[0]?.attributes ?? [])],
    [
      ['as', 'x.yml'],
      ['why', 'two words'],
    ],
  );
  assert.deepEqual(
    links.map((link) => link.text),
    ['y.md#a-b-c'],
  );
  assert.deepEqual(
    found.map((code) => code.text),
    ['b', 'c | d'],
  );
  assert.deepEqual([...anchors], ['a-b-c', 'a-b-c-1']);
});

test('every link leads somewhere, with its anchor', () => {
  const anchors = new Map(documents.map((document) => [document.doc, document.anchors]));
  const broken: string[] = [];
  let count = 0;
  for (const link of documents.flatMap(({ links }) => links)) {
    if (/^[a-z]+:/.test(link.text)) continue;
    count += 1;
    const [path = '', anchor] = link.text.split('#');
    const target = path === '' ? link.doc : relative(checkout, join(checkout, dirname(link.doc), path));
    const isThere =
      existsSync(join(checkout, target)) && (anchor === undefined || anchors.get(target)?.has(anchor));
    if (isThere !== true) broken.push(`${at(link)} ${link.text}`);
  }
  assert.deepEqual(broken, []);
  assert.ok(count > 50, `${count} links`);
});

test('every block has a language that somebody looks at', (t) => {
  const blocks = documents.flatMap((document) => document.blocks);
  const counts = new Map<string, number>();
  for (const block of blocks) {
    assert.ok(block.language in languages, `${at(block)}: ${block.language}`);
    counts.set(block.language, (counts.get(block.language) ?? 0) + 1);
  }
  for (const [language, count] of counts)
    t.diagnostic(`${count} × ${language || 'none'}: ${languages[language]}`);
});

test('every script is one', () => {
  const blocks = documents.flatMap((document) => document.blocks);
  for (const { text, language } of blocks)
    if (language === 'sh' && text.startsWith('#!')) execFileSync('sh', ['-n'], { input: text });
    else if (language === 'ts') assert.ok(stripTypeScriptTypes(text).length > 0);
});

test('every key that is named is in the reference', () => {
  const known = knownKeys();
  const unknown = codes.filter(({ text }) => looksLikeKey(text) && !known(text));
  assert.deepEqual(
    unknown.map((code) => `${at(code)} ${code.text}`),
    [],
  );
});

test('every flag that is named is in the help, or another program’s', () => {
  const help = helpTexts();
  const named = [
    ...codes,
    ...documents
      .flatMap(({ blocks }) => blocks)
      .filter(({ language }) => language === 'sh')
      .flatMap(commandsOf),
  ]
    .filter(({ doc, text }) => !isForeign(doc, text))
    .flatMap((code) =>
      [...code.text.matchAll(/(?<![\w-])--([a-z][\w-]*)(?=[ =\]]|$)/gi)].map(([, flag]) => ({
        ...code,
        text: flag ?? '',
      })),
    );
  const unknown = named.filter(({ text }) => !help.has(text.toLowerCase()));
  assert.deepEqual(
    unknown.map((code) => `${at(code)} --${code.text}`),
    [],
  );
  assert.ok(named.length > 30, `${named.length} flags`);
});

test('every error code that is named exists', () => {
  const table = readFileSync(join(checkout, 'src/proxy/errors.ts'), 'utf8');
  const named = codes.filter(({ text }) => /^(router|upstream|auth|intake|service)\.[a-z_]+$/.test(text));
  assert.ok(named.length > 5);
  for (const code of named) assert.ok(table.includes(`'${code.text}'`), `${at(code)} ${code.text}`);
});

test('every file of the checkout that is named is there', () => {
  const folders =
    /^(?:src|test|ops|bench|grafana|docs|bin|proxy|providers|config|state|primary|worker|model|rules|cli|observability|util)\/[\w./-]+$/;
  const named = codes.filter(({ text }) => folders.test(text));
  const missing = named.filter(
    ({ text }) =>
      !text.includes('my-thing') &&
      !['', 'src', 'src/proxy', 'src/config', 'src/primary', 'src/proxy/upstream', 'src/proxy/services'].some(
        (root) => existsSync(join(checkout, root, text)),
      ),
  );
  assert.deepEqual(
    missing.map((code) => `${at(code)} ${code.text}`),
    [],
  );
  assert.ok(named.length > 20, `${named.length} files`);
});

/** `a.b` of letters alone, and not the name of a file, of a field in code or of an error. */
function looksLikeKey(text: string): boolean {
  if (!/^[a-z][A-Za-z]*(\.(?:[A-Za-z]+|<\w+>|\*))+$/.test(text)) return false;
  if (/\.(?:json|ya?ml|toml|ts|js|md|sh|conf|test|service|gz|com|org|log|html|svg)$/.test(text)) return false;
  if (['http.route', 'tls.Server', 'org.opencontainers.image.*', 'a.b'].includes(text)) return false;
  return !/^(?:x|deps|process|performance|router|upstream|auth|intake|service|traefik|entry|error|lodash|net)\./.test(
    text,
  );
}

/** Says whether the parts of a key stand, in this order and side by side, in a key of the reference. */
function knownKeys(): (key: string) => boolean {
  const reference = readFileSync(join(checkout, 'docs/configuration.md'), 'utf8');
  const keys = [...reference.matchAll(/^\| `([^`]+)`/gm)].map(([, key]) => normal(key ?? ''));
  return (key) =>
    keys.some((one) => `.${one}.`.includes(`.${normal(key)}.`) || matchesNames(one, normal(key)));
}

function normal(key: string): string {
  return key
    .toLowerCase()
    .replaceAll(/\[n\]/g, '')
    .replaceAll(/<[^>]*>/g, '*');
}

/** A name of the reader's own stands where the reference has `<name>`. */
function matchesNames(known: string, written: string): boolean {
  const [all, parts] = [known.split('.'), written.split('.')];
  return all.some((_, start) =>
    parts.every((part, index) => all[start + index] === part || all[start + index] === '*'),
  );
}

/** npm's, and keepalived's. */
const ofOthers = ['help', 'silent', 'config-id'];

/** Lower case, of the gateway, its commands and the scripts. */
function helpTexts(): ReadonlySet<string> {
  const portcullis = (...args: string[]): string =>
    execFileSync(join(checkout, 'bin/portcullis'), [...args, '--help'], { encoding: 'utf8' });
  const general = portcullis();
  const commands = [...general.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name ?? '');
  const texts = [general, ...commands.map((name) => portcullis(name))];
  const scripts = ['bench/flags.ts', 'ops/release.ts', 'test/soak/run.ts', 'src/dashboard/build.ts'];
  for (const script of scripts) texts.push(readFileSync(join(checkout, script), 'utf8'));
  const inTexts = texts.flatMap((text) => [
    ...text.matchAll(/--([a-z][\w.<>-]*)|'([a-z][a-z-]+)'|\b([a-z]+): \{ type:/gi),
  ]);
  const found = inTexts.map(([, flag, quoted, field]) => (flag ?? quoted ?? field ?? '').toLowerCase());
  return new Set([...found, ...ofOthers]);
}

/** Of V8, npm, Docker, curl and others. */
function isForeign(doc: string, text: string): boolean {
  if (
    /^(?:curl|docker|openssl|sslscan|node|npm test|npm install|systemctl|keepalived|redis-cli|tar|wrk|perf|strace|GRAFANA)\b/.test(
      text,
    )
  )
    return true;
  return doc === 'docs/docker.md' || doc === 'docs/performance.md' || doc === 'docs/packages.md';
}
