// The value of `Authorization: Basic …` (RFC 7617).

export interface Credentials {
  /** One char a byte, as sent. */
  readonly name: string;
  readonly password: string;
}

/** Characters of the header: no honest name and password come near it, and each is hashed. */
const maxLength = 4_096;

/** Null when it is anything else, or holds control characters. */
export function readCredentials(value: string): Credentials | null {
  if (value.length > maxLength) return null;
  const match = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value);
  if (match === null) return null;
  const bytes = Buffer.from(match[1] as string, 'base64');
  // Two spellings of one thing would be read as two things by somebody.
  if (bytes.toString('base64') !== match[1]) return null;
  const decoded = bytes.toString('latin1');
  const colon = decoded.indexOf(':');
  if (colon === -1 || /[\x00-\x1f\x7f]/.test(decoded)) return null;
  return { name: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
