// The media type of bytes, by WHATWG's MIME Sniffing as Go's DetectContentType reads it.

/** Bytes that are looked at. */
export const sniffLength = 512;

/** Never throws; what nobody can tell is `application/octet-stream`. */
export function sniff(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, sniffLength)).toString(
    'latin1',
  );
  const body = text.replace(/^[\t\n\f\r ]+/, '');
  if (htmlTag.test(body)) return 'text/html; charset=utf-8';
  if (body.startsWith('<?xml')) return 'text/xml; charset=utf-8';
  for (const [begin, type] of beginnings) if (text.startsWith(begin)) return type;
  for (const [pattern, type] of patterns) if (pattern.test(text)) return type;
  if (isMp4(text)) return 'video/mp4';
  return binary.test(body) ? 'application/octet-stream' : 'text/plain; charset=utf-8';
}

const htmlTag =
  /^<(?:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--)[ >]/i;

/** Bytes that no text holds. */
const binary = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

const beginnings: readonly (readonly [string, string])[] = [
  ['%PDF-', 'application/pdf'],
  ['%!PS-Adobe-', 'application/postscript'],
];

const patterns: readonly (readonly [RegExp, string])[] = [
  // A byte order mark tells the encoding, whatever follows.
  [/^\xfe\xff../s, 'text/plain; charset=utf-16be'],
  [/^\xff\xfe../s, 'text/plain; charset=utf-16le'],
  [/^\xef\xbb\xbf./s, 'text/plain; charset=utf-8'],
  [/^\x00\x00\x01\x00/, 'image/x-icon'],
  [/^\x00\x00\x02\x00/, 'image/x-icon'],
  [/^BM/, 'image/bmp'],
  [/^GIF8[79]a/, 'image/gif'],
  [/^RIFF....WEBPVP/s, 'image/webp'],
  [/^\x89PNG\r\n\x1a\n/, 'image/png'],
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^FORM....AIFF/s, 'audio/aiff'],
  [/^ID3/, 'audio/mpeg'],
  [/^OggS\x00/, 'application/ogg'],
  [/^MThd\x00\x00\x00\x06/, 'audio/midi'],
  [/^RIFF....AVI /s, 'video/avi'],
  [/^RIFF....WAVE/s, 'audio/wave'],
  [/^.{34}LP/s, 'application/vnd.ms-fontobject'],
  [/^\x00\x01\x00\x00/, 'font/ttf'],
  [/^OTTO/, 'font/otf'],
  [/^ttcf/, 'font/collection'],
  [/^wOFF/, 'font/woff'],
  [/^wOF2/, 'font/woff2'],
  [/^\x1a\x45\xdf\xa3/, 'video/webm'],
  [/^\x1f\x8b\x08/, 'application/x-gzip'],
  [/^PK\x03\x04/, 'application/zip'],
  [/^Rar!\x1a\x07\x00/, 'application/x-rar-compressed'],
  [/^Rar!\x1a\x07\x01\x00/, 'application/x-rar-compressed'],
  [/^\x00asm/, 'application/wasm'],
];

/** ISO 14496-12: a first box `ftyp` that lists a brand beginning with `mp4`; the version in between is none. */
function isMp4(text: string): boolean {
  if (text.length < 12 || text.slice(4, 8) !== 'ftyp') return false;
  const size = Buffer.from(text.slice(0, 4), 'latin1').readUInt32BE(0);
  if (size > text.length || size % 4 !== 0) return false;
  for (let at = 8; at < size; at += 4) {
    if (at !== 12 && text.slice(at, at + 3) === 'mp4') return true;
  }
  return false;
}
