// Text that others wrote, made safe for a log line: one line, no terminal control sequences, bounded.

/** Longest value written, in characters. */
export const maxValueChars = 8192;

const cutMark = '...';

/** A JSON string of text given one char a byte (latin1), as headers and paths are; quotes included. */
export function jsonOfBytes(bytes: string): string {
  const value = cut(bytes);
  if (isPlain(value)) return `"${value}"`;
  return quoted(isAscii(value) ? value : Buffer.from(value, 'latin1').toString('utf8'));
}

/** A JSON string of ordinary text; quotes included. C1 controls and line separators are escaped too. */
export function jsonOfText(text: string): string {
  const value = cut(text);
  return isPlain(value) ? `"${value}"` : quoted(value);
}

/** For a place between quotes, or between spaces, of a Common Log Format line: printable ASCII only. */
export function clfText(bytes: string): string {
  const value = cut(bytes);
  if (isPlain(value)) return value;
  return value.replace(notClf, escapeClf);
}

/** What JSON lets pass but a terminal acts on, escaped as JSON has it. */
export function escapeUnsafe(json: string): string {
  return json.replace(unsafe, escapeUnit);
}

function quoted(value: string): string {
  return escapeUnsafe(JSON.stringify(value));
}

function cut(value: string): string {
  return value.length <= maxValueChars ? value : value.slice(0, maxValueChars) + cutMark;
}

const unsafe = /[\x7f-\x9f\u2028\u2029]/g;
const notClf = /[^\x20\x21\x23-\x5b\x5d-\x7e]/g;

function escapeUnit(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function escapeClf(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  const code = char.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Printable ASCII without quote and backslash: the same in JSON, in CLF and as it is. */
function isPlain(value: string): boolean {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(value);
}

function isAscii(value: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(value);
}
