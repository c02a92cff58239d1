// Reads the project's Markdown as a test wants it: fenced blocks with what is said of them, code in the text, links, anchors.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Place {
  /** Relative to the checkout. */
  readonly doc: string;
  /** Counted from 1. */
  readonly line: number;
}

export interface Block extends Place {
  readonly language: string;
  /** Without the indentation of its fence. */
  readonly text: string;
  /** Of `<!-- run: key=value other="two words" -->` on the line before the fence. */
  readonly attributes: ReadonlyMap<string, string>;
}

export interface Code extends Place {
  readonly text: string;
}

export interface Command extends Code {
  /** What stands behind `#` on its line; in a walk the command has to print it. */
  readonly comment: string;
}

export interface Document {
  readonly doc: string;
  readonly blocks: readonly Block[];
  /** Code within a line, outside of blocks. */
  readonly codes: readonly Code[];
  /** Targets of links, as written. */
  readonly links: readonly Code[];
  /** What may follow a `#`. */
  readonly anchors: ReadonlySet<string>;
}

export const checkout = fileURLToPath(new URL('../../', import.meta.url));

/** README, CONTRIBUTING, ARCHITECTURE, CHANGELOG and all in `docs/`; results of runs are not among them. */
export function readDocuments(): readonly Document[] {
  return globSync(['*.md', 'docs/*.md'], { cwd: checkout })
    .sort()
    .map((doc) => parseDocument(doc, readFileSync(join(checkout, doc), 'utf8')));
}

/** Exported for tests of its own. */
export function parseDocument(doc: string, text: string): Document {
  const blocks: Block[] = [];
  const codes: Code[] = [];
  const links: Code[] = [];
  const anchors = new Set<string>();
  const lines = text.split('\n');
  let before = '';
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const fence = /^(\s*)```(\w*)\s*$/.exec(line);
    if (fence !== null) {
      const end = lines.findIndex((other, at) => at > index && other.trim() === '```');
      if (end === -1) throw new Error(`${doc}:${index + 1}: the block has no end`);
      const indent = fence[1] ?? '';
      const body = lines.slice(index + 1, end).map((one) => one.replace(indent, ''));
      const attributes = attributesOf(before);
      blocks.push({
        doc,
        line: index + 1,
        language: fence[2] ?? '',
        text: `${body.join('\n')}\n`,
        attributes,
      });
      index = end;
    } else {
      const place = { doc, line: index + 1 };
      for (const code of codesOf(line)) codes.push({ ...place, text: code });
      for (const [, target] of withoutCode(line).matchAll(/\]\(([^)\s]+)\)/g))
        links.push({ ...place, text: target ?? '' });
      const heading = /^#{1,6} (.+)$/.exec(line);
      if (heading !== null) anchors.add(slug(heading[1] ?? '', anchors));
    }
    if (line.trim() !== '') before = line;
  }
  return { doc, blocks, codes, links, anchors };
}

/** Command lines of a shell block: comments and empty lines left out, continued lines joined. */
export function commandsOf(block: Block): readonly Command[] {
  const commands: Command[] = [];
  let begun = '';
  let at = 0;
  for (const [index, line] of block.text.split('\n').entries()) {
    if (begun === '') at = block.line + 1 + index;
    if (line.endsWith('\\')) {
      begun += `${line.slice(0, -1)} `;
      continue;
    }
    const whole = begun + line;
    begun = '';
    const text = whole
      .replace(/(^|\s+)#( .*|$)/, '')
      .replaceAll(/\s{2,}/g, ' ')
      .trim();
    const comment = /\s# (.*)$/.exec(whole)?.[1]?.trim() ?? '';
    if (text !== '') commands.push({ doc: block.doc, line: at, text, comment });
  }
  return commands;
}

/** `docs/tls.md:12` */
export function at({ doc, line }: Place): string {
  return `${doc}:${line}`;
}

function attributesOf(line: string): ReadonlyMap<string, string> {
  const comment = /^\s*<!-- run: (.*) -->\s*$/.exec(line);
  const pairs = (comment?.[1] ?? '').matchAll(/([\w-]+)=(?:"([^"]*)"|(\S+))/g);
  return new Map([...pairs].map(([, key, quoted, bare]) => [key ?? '', quoted ?? bare ?? '']));
}

/** Between as many backticks as it begins with, as Markdown has it. */
function codesOf(line: string): readonly string[] {
  return [...line.matchAll(/(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/g)].map(([, , code]) =>
    (code ?? '').trim().replaceAll('\\|', '|'),
  );
}

function withoutCode(line: string): string {
  return line.replaceAll(/(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/g, 'code');
}

/** As forges make anchors of headings; of the same again with a number. */
function slug(heading: string, taken: ReadonlySet<string>): string {
  const plain = heading.toLowerCase().replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  const wanted = plain
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
  for (let count = 0; ; count += 1) {
    const name = count === 0 ? wanted : `${wanted}-${count}`;
    if (!taken.has(name)) return name;
  }
}
