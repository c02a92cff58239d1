// Header lists are flat arrays of lower-case name, value, name, value …, edited in place. Values are
// latin1 strings, one char a byte, so that what a client sent leaves byte for byte.

export type HeaderList = string[];

/** First value of `name` (lower case), or null. */
export function getHeader(headers: readonly string[], name: string): string | null {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) return headers[i + 1] as string;
  }
  return null;
}

/** `name` in lower case. */
export function hasHeader(headers: readonly string[], name: string): boolean {
  return getHeader(headers, name) !== null;
}

/** Every value of `name`, in order. */
export function getHeaderValues(headers: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) values.push(headers[i + 1] as string);
  }
  return values;
}

/** All values of `name` joined by `, ` (RFC 9110 §5.3), or null. */
export function joinHeader(headers: readonly string[], name: string): string | null {
  let joined: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== name) continue;
    joined = joined === null ? (headers[i + 1] as string) : `${joined}, ${headers[i + 1]}`;
  }
  return joined;
}

/** Drops every line of `name` at or after index `from`. */
export function deleteHeader(headers: HeaderList, name: string, from = 0): void {
  let to = from;
  for (let i = from; i < headers.length; i += 2) {
    if (headers[i] === name) continue;
    if (to !== i) {
      headers[to] = headers[i] as string;
      headers[to + 1] = headers[i + 1] as string;
    }
    to += 2;
  }
  headers.length = to;
}

/** Replaces every `name` by one line. */
export function setHeader(headers: HeaderList, name: string, value: string): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== name) continue;
    headers[i + 1] = value;
    deleteHeader(headers, name, i + 2);
    return;
  }
  headers.push(name, value);
}

/** Beside whatever lines of `name` (lower case) there are. */
export function appendHeader(headers: HeaderList, name: string, value: string): void {
  headers.push(name, value);
}

/** Of a short text that the gateway itself answers with, as Go's HTTP library sends its own. */
export function plainTextHeaders(): HeaderList {
  return ['content-type', 'text/plain; charset=utf-8', 'x-content-type-options', 'nosniff'];
}

/**
 * The one spelling of all names a backend could take for the same: CGI and WSGI turn every character
 * that is no letter or digit into `_`, so `X-User-Id`, `x_user.id` and `X!User'Id` are one name there.
 */
export function foldName(name: string): string {
  let folded = '';
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    const lower = c >= 65 && c <= 90 ? c + 32 : c;
    const isWord = (lower >= 97 && lower <= 122) || (c >= 48 && c <= 57);
    folded += isWord ? String.fromCharCode(lower) : '-';
  }
  return folded;
}

/** `x-user-id` → `X-User-Id`, as Go's HTTP library spells names towards HTTP/1 backends. */
export function canonicalName(name: string): string {
  let upper = true;
  let canonical = '';
  for (const char of name) {
    canonical += upper ? char.toUpperCase() : char.toLowerCase();
    upper = char === '-';
  }
  return canonical;
}
