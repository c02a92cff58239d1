// Diagnostics for people (terminal), programs (JSON) and workflow logs (annotations).

import { styleText } from 'node:util';
import type { Diagnostic, Place, Severity } from '../model/diagnostic.ts';
import { isSecretPath } from './decode/messages.ts';

export interface RenderOptions {
  readonly color: boolean;
  /** The text of a source, for the frame; null when it has none. */
  readonly textOf?: (source: string) => string | null;
}

const colors: Readonly<Record<Severity, 'red' | 'yellow' | 'cyan'>> = {
  error: 'red',
  warning: 'yellow',
  info: 'cyan',
};
const maxFrameWidth = 160;

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}

/** By source, then line, then column; equal ones stay in the order they were found. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted(
    (a, b) =>
      compare(a.where.source, b.where.source) ||
      (a.where.line ?? 0) - (b.where.line ?? 0) ||
      (a.where.column ?? 0) - (b.where.column ?? 0),
  );
}

/** `file:line:column`, `--flag.name` or the source's name. */
export function formatPlace(where: Place): string {
  if (where.source === 'flag') return where.path === undefined ? 'flags' : `--${where.path}`;
  if (where.line === undefined)
    return where.path === undefined || where.source.startsWith('env ')
      ? where.source
      : `${where.source} (${where.path})`;
  return `${where.source}:${where.line}:${where.column ?? 1}`;
}

/** One diagnostic on one line without colours, for a log. */
export function formatLine(diagnostic: Diagnostic): string {
  const hint = diagnostic.hint === undefined ? '' : ` (${diagnostic.hint})`;
  return clean(`${formatPlace(diagnostic.where)}: ${diagnostic.message}${hint}`);
}

export function renderTty(diagnostics: readonly Diagnostic[], options: RenderOptions): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    options.color ? styleText(style, text, { validateStream: false }) : text;
  const lineOf = createLineOf(options.textOf);
  let output = '';
  for (const diagnostic of sortDiagnostics(diagnostics)) {
    const severity = paint([colors[diagnostic.severity], 'bold'], diagnostic.severity);
    output += `${paint('bold', clean(formatPlace(diagnostic.where)))} ${severity} ${clean(diagnostic.message)} ${paint('dim', `[${diagnostic.code}]`)}\n`;
    for (const line of frame(diagnostic.where, lineOf)) output += `${paint('dim', line)}\n`;
    for (const related of diagnostic.related ?? []) output += `  see ${clean(formatPlace(related))}\n`;
    if (diagnostic.hint !== undefined) output += `  ${paint('green', 'hint:')} ${clean(diagnostic.hint)}\n`;
  }
  return output;
}

export function renderJson(diagnostics: readonly Diagnostic[]): string {
  return `${JSON.stringify(sortDiagnostics(diagnostics), null, 2)}\n`;
}

/** `::error file=…,line=…,col=…::message`, as workflow runners read it. */
export function renderAnnotations(diagnostics: readonly Diagnostic[]): string {
  return sortDiagnostics(diagnostics).map(annotation).join('');
}

function annotation(diagnostic: Diagnostic): string {
  const { where } = diagnostic;
  const level = diagnostic.severity === 'info' ? 'notice' : diagnostic.severity;
  const place =
    where.line === undefined
      ? []
      : [`file=${escapeProperty(where.source)}`, `line=${where.line}`, `col=${where.column ?? 1}`];
  const properties = [...place, `title=${escapeProperty(diagnostic.code)}`].join(',');
  const prefix = where.line === undefined ? `${formatPlace(where)}: ` : '';
  const hint = diagnostic.hint === undefined ? '' : `; ${diagnostic.hint}`;
  return `::${level} ${properties}::${escapeData(`${prefix}${diagnostic.message}${hint}`)}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

type LineOf = (source: string, line: number) => string | undefined;

/** Splits a text once, however many of its lines are shown; as many are kept as `textOf` knows. */
function createLineOf(textOf: RenderOptions['textOf']): LineOf {
  const texts = new Map<string, readonly string[]>();
  return (source, line) => {
    let lines = texts.get(source);
    if (lines === undefined) texts.set(source, (lines = textOf?.(source)?.split('\n') ?? []));
    return lines[line - 1]?.trimEnd();
  };
}

/** The line with a caret under the place; nothing where the line may show a secret. */
function frame(where: Place, lineOf: LineOf): string[] {
  if (where.line === undefined || isSecretPath(where.path)) return [];
  const line = lineOf(where.source, where.line);
  if (line === undefined || /password|secret|token|users|\bkey\b/i.test(line)) return [];
  const shown = clean(line.slice(0, maxFrameWidth));
  const column = where.column ?? 1;
  const number = String(where.line);
  const caret =
    column <= shown.length + 1 ? [`  ${' '.repeat(number.length)} | ${' '.repeat(column - 1)}^`] : [];
  return [`  ${number} | ${shown}`, ...caret];
}

/** Control characters could rewrite what a terminal shows. Tabs become one blank, so that carets stay true. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
