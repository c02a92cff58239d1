// Where results go: a folder of their own, and what the project shows of itself.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publishedFolder } from './flags.ts';
import { toSvg } from './plot.ts';
import type { ResultFile } from './result.ts';
import { readResult } from './result-file.ts';
import { headlinesOf, toHeadlines, toMarkdown } from './table.ts';

const readme = fileURLToPath(new URL('../README.md', import.meta.url));
const begin = '<!-- bench: written by `npm run bench -- --publish` -->';
const end = '<!-- /bench -->';

/** Writes `<date>-<machine>.json`, `.md` and `.svg`: their path without the ending. */
export function writeResult(result: ResultFile, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, nameOf(result));
  writeFileSync(`${file}.json`, `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(`${file}.md`, toMarkdown(result));
  writeFileSync(`${file}.svg`, toSvg(result));
  return file;
}

/** `2029-01-31-1405-intel-xeon-2-cores`: nothing that tells whose machine it was. */
export function nameOf({ startedAt, machine }: ResultFile): string {
  const when = startedAt.slice(0, 16).replace('T', '-').replace(':', '');
  const cpu = machine.cpu
    .toLowerCase()
    .replace(/\((r|tm)\)|processor|cpu|@.*/g, ' ')
    .match(/[a-z0-9]+/g)
    ?.slice(0, 4)
    .join('-');
  return `${when}-${cpu ?? 'unknown'}-${machine.cores}-cores`;
}

/** Makes it the newest: `latest.svg` and `latest.md`, and the table in README.md. */
export function publish(result: ResultFile, say: (line: string) => void): void {
  const headlines = headlinesOf(result);
  writeFileSync(join(publishedFolder, 'latest.svg'), toSvg(headlines));
  writeFileSync(join(publishedFolder, 'latest.md'), toMarkdown(result));
  const before = readFileSync(readme, 'utf8');
  const after = withSection(before, toHeadlines(headlines));
  if (after === null) say(`!! README.md has no ${begin} … ${end}: left as it is`);
  else writeFileSync(readme, after);
  say('published: bench/results/latest.svg, latest.md, README.md');
}

/** The same for a result that was measured before. */
export function publishFrom(file: string, say: (line: string) => void): void {
  const result = readResult(file);
  say(`written: ${writeResult(result, publishedFolder)}.json, .md, .svg`);
  publish(result, say);
}

/** The text between the marks replaced; null where there are none. */
export function withSection(text: string, section: string): string | null {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) return null;
  return `${text.slice(0, from + begin.length)}\n\n${section.trim()}\n\n${text.slice(to)}`;
}
