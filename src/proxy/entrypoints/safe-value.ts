// A header value as the bytes it came in as.

const unsafeValue = /[^\t\x20-\x7e]/;

/** `value` as bytes of latin1; null when it has no one meaning. */
export function safeValue(value: string): string | null {
  return unsafeValue.test(value) ? restoreBytes(value) : value;
}

/** `value` when it is bytes of latin1 already; null for control characters. */
export function safeBytes(value: string): string | null {
  return /[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/.test(value) ? null : value;
}

/** The engine reads values as UTF-8: back to one char a byte. Null when that lost something. */
function restoreBytes(value: string): string | null {
  // A control character, or bytes that were no UTF-8 and are now U+FFFD.
  if (/[\x00-\x08\x0a-\x1f\x7f\ufffd]/.test(value)) return null;
  return Buffer.from(value, 'utf8').toString('latin1');
}
