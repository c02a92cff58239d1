// Header names and values as written in a configuration, checked and brought into the form of a HeaderList.

/** In lower case. Throws `Error` naming `key` when it is no token of RFC 9110 §5.6.2. */
export function headerName(name: string, key: string): string {
  if (/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/.test(name)) return name.toLowerCase();
  throw new Error(`${key}: "${printable(name)}" is not a header name`);
}

/** As latin1 bytes of its UTF-8 form. Throws `Error` naming `key` when it holds a control character. */
export function headerValue(value: string, key: string): string {
  // A line break in a value would begin a header, or a request, of its own.
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) throw new Error(`${key}: the value holds a control character`);
  return toBytes(value.trim());
}

/** Text as a string with one char for each byte of its UTF-8 form. */
export function toBytes(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : Buffer.from(value, 'utf8').toString('latin1');
}

/** Names, or pieces of them, may stand in a message. */
function printable(name: string): string {
  return JSON.stringify(name.slice(0, 100)).slice(1, -1);
}
