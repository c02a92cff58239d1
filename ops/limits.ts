// `npm run limits`: every bound in the sources, with its number, into the table of `docs/security.md`.

import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Limit {
  readonly file: string;
  readonly name: string;
  readonly value: string;
  readonly what: string;
}

const begin = '<!-- limits: written by `npm run limits` -->\n';
const end = '<!-- /limits -->';
/** How a constant that bounds something is called here. */
const isBound =
  /^(?:max|most|longest|hard)[A-Z]|(?:Timeout|Deadline|Limit|Patience|HighWater)$|^(?:patience|highWater)$/;
/** With the docstring right above it, where there is one. Numbers, sums and products alone. */
const constant =
  /(?:\/\*\*((?:[^*]|\*(?!\/))*)\*\/\n)?(?:export )?const (\w+)(?:: number)? = ([\d_][\d_ *+()]*);/g;

/** The document with its table as the sources have it now. Throws `Error` when it has no place for one. */
export function withLimits(document: string, root: string): string {
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error('docs/security.md has no place for the table of limits');
  return document.slice(0, from + begin.length) + table(readLimits(root)) + document.slice(to);
}

export function readLimits(root: string): readonly Limit[] {
  const files = globSync('src/**/*.ts', { cwd: root }).filter(
    (file) => !/^src\/(?:dashboard|cli)\//.test(file),
  );
  return files.sort().flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(constant)].flatMap(
      ([, comment, name = '', text = '']) =>
        isBound.test(name)
          ? [
              {
                file,
                name,
                value: shown(text),
                what: comment === undefined ? inWords(name) : firstSentence(comment),
              },
            ]
          : [],
    ),
  );
}

function table(limits: readonly Limit[]): string {
  const rows = limits.map(
    ({ file, name, value, what }) =>
      `| \`${name}\` | ${value} | ${what} | \`${file.slice('src/'.length)}\` |`,
  );
  return `| bound | number | of what | where, in \`src/\` |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

/** What was written with 1024 is bytes. */
function shown(text: string): string {
  const terms = text.replaceAll(/[_()]/g, '').split('+');
  const number = terms.reduce(
    (sum, term) => sum + term.split('*').reduce((product, one) => product * Number(one), 1),
    0,
  );
  const isBytes = /\b1_?024\b/.test(text) && text.includes('*');
  for (const [unit, size] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const)
    if (isBytes && number % size === 0) return `${(number / size).toLocaleString('en-US')} ${unit}`;
  return number.toLocaleString('en-US');
}

function firstSentence(comment: string): string {
  const text = comment
    .replaceAll(/\n\s*\*/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return (/^.*?[.:;](?= |$)/.exec(text)?.[0] ?? text).replace(/[.:;]$/, '').replaceAll('|', '\\|');
}

/** `maxPendingLines` to `pending lines`. */
function inWords(name: string): string {
  return name
    .replace(/^(?:max|most|longest|hard)(?=[A-Z])/, '')
    .replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .trim();
}

if (import.meta.main) {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const file = join(root, 'docs/security.md');
  writeFileSync(file, withLimits(readFileSync(file, 'utf8'), root));
}
