// Tokens → a tree of what to print, test and repeat.

import { TemplateError } from './error.ts';
import type { Piece, Token } from './lexer.ts';
import { splitTemplate } from './lexer.ts';
import { parsePipe } from './pipe.ts';
import type { Pipe } from './pipe.ts';

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipe: Pipe; readonly offset: number }
  | Branch;

export interface Branch {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipe: Pipe;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
  readonly offset: number;
}

/** Levels of blocks in blocks. */
const maxDepth = 100;

/** Throws TemplateError. */
export function parseTemplate(source: string): TemplateNode[] {
  const cursor: Cursor = { pieces: splitTemplate(source), at: 0 };
  const { nodes, end } = parseBlock(cursor, 0, null);
  if (end !== null)
    throw new TemplateError(`{{ ${end.word} }} without an if, with or range before it`, end.offset);
  return nodes;
}

interface Cursor {
  readonly pieces: readonly Piece[];
  at: number;
}

interface BlockEnd {
  readonly word: 'end' | 'else';
  /** What follows `else`. */
  readonly rest: readonly Token[];
  readonly offset: number;
}

const branchWords = new Set(['if', 'with', 'range']);
const refusedWords = new Set(['define', 'template', 'block', 'break', 'continue']);

function parseBlock(cursor: Cursor, depth: number, opener: { word: string; offset: number } | null) {
  const nodes: TemplateNode[] = [];
  while (cursor.at < cursor.pieces.length) {
    const piece = cursor.pieces[cursor.at] as Piece;
    cursor.at += 1;
    if (piece.kind === 'text') {
      nodes.push(piece);
      continue;
    }
    const { tokens, offset } = piece;
    const first = tokens[0];
    const word = first?.kind === 'word' ? first.text : '';
    if (refusedWords.has(word)) throw new TemplateError(`{{ ${word} }} is not supported`, offset);
    if (word === 'end' || word === 'else') {
      const end: BlockEnd = { word, rest: tokens.slice(1), offset };
      return { nodes, end };
    }
    if (branchWords.has(word))
      nodes.push(parseBranch(cursor, word as Branch['kind'], tokens.slice(1), { depth, offset }));
    else nodes.push({ kind: 'print', pipe: parsePipe(tokens, offset, 'print'), offset });
  }
  if (opener !== null) throw new TemplateError(`this {{ ${opener.word} }} has no {{ end }}`, opener.offset);
  return { nodes, end: null };
}

interface At {
  readonly depth: number;
  readonly offset: number;
}

function parseBranch(
  cursor: Cursor,
  kind: Branch['kind'],
  tokens: readonly Token[],
  { depth, offset }: At,
): Branch {
  if (depth >= maxDepth) throw new TemplateError(`more than ${maxDepth} blocks in blocks`, offset);
  const pipe = parsePipe(tokens, offset, kind);
  const opener = { word: kind, offset };
  const body = parseBlock(cursor, depth + 1, opener);
  const end = body.end as BlockEnd;
  let otherwise: readonly TemplateNode[] = [];
  if (end.word === 'else') otherwise = parseElse(cursor, end, kind, depth);
  else if (end.rest.length > 0) throw new TemplateError('nothing may follow end', end.offset);
  return { kind, pipe, body: body.nodes, otherwise, offset };
}

function parseElse(
  cursor: Cursor,
  end: BlockEnd,
  kind: Branch['kind'],
  depth: number,
): readonly TemplateNode[] {
  const next = end.rest[0];
  if (next === undefined) {
    const block = parseBlock(cursor, depth + 1, { word: 'else', offset: end.offset });
    if ((block.end as BlockEnd).word === 'else') {
      throw new TemplateError('a second else', (block.end as BlockEnd).offset);
    }
    return block.nodes;
  }
  // `else if` is an if inside the else that shares its end.
  if (next.kind === 'word' && next.text === kind && kind !== 'range') {
    return [parseBranch(cursor, kind, end.rest.slice(1), { depth: depth + 1, offset: end.offset })];
  }
  throw new TemplateError(`only "if" may follow else in an if, and "with" in a with`, next.offset);
}
