// The value of `Authorization: Digest …` (RFC 7616 §3.4).

import { hash } from 'node:crypto';

export interface DigestAnswer {
  /** One char a byte, as sent. */
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** 32 hexadecimal digits in lower case. */
  readonly response: string;
  readonly opaque: string;
  readonly cnonce: string;
  /** As written: it is part of what was hashed. */
  readonly ncText: string;
  readonly nc: number;
}

/** Characters of the header: the target it repeats may be long. */
const maxLength = 16 * 1024;
/** A pair of key and value has at most this many neighbours. */
const maxParts = 20;

/** Null when it is anything else than MD5 with qop "auth", or a part is missing or comes twice. */
export function readDigest(value: string): DigestAnswer | null {
  if (value.length > maxLength || !/^digest +/i.test(value)) return null;
  const parts = readParts(value.replace(/^digest +/i, ''));
  if (parts === null) return null;
  const part = (name: string): string => parts.get(name) ?? '';
  const isOurs = /^md5$/i.test(parts.get('algorithm') ?? 'MD5') && part('qop') === 'auth';
  const isHex = /^[0-9a-f]{32}$/i.test(part('response')) && /^[0-9a-f]{8}$/i.test(part('nc'));
  const username = part('username');
  const isWhole = username !== '' && part('nonce') !== '' && part('cnonce') !== '' && part('uri') !== '';
  if (!isOurs || !isHex || !isWhole || /[\x00-\x1f\x7f]/.test(username)) return null;
  return {
    username,
    realm: part('realm'),
    nonce: part('nonce'),
    uri: part('uri'),
    response: part('response').toLowerCase(),
    opaque: part('opaque'),
    cnonce: part('cnonce'),
    ncText: part('nc'),
    nc: Number.parseInt(part('nc'), 16),
  };
}

/** `secret` is MD5 of `name:realm:password`. */
export function expectedResponse(answer: DigestAnswer, method: string, secret: string): string {
  const request = md5(`${method}:${answer.uri}`);
  return md5(`${secret}:${answer.nonce}:${answer.ncText}:${answer.cnonce}:auth:${request}`);
}

function md5(bytes: string): string {
  return hash('md5', Buffer.from(bytes, 'latin1'), 'hex');
}

function readParts(text: string): ReadonlyMap<string, string> | null {
  // An empty value has no blanks of its own: shared with those after it, they could be divided in many ways.
  const pattern = /\s*([A-Za-z0-9*_-]+)\s*=(?:\s*"((?:[^"\\]|\\.)*)"|\s*([^\s",]+)|)\s*(?:,|$)/y;
  const parts = new Map<string, string>();
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null || parts.size >= maxParts) return null;
    const name = (match[1] as string).toLowerCase();
    if (parts.has(name)) return null;
    parts.set(name, match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
  }
  return parts;
}
