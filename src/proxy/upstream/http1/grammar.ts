// The characters of HTTP/1.1 messages, as tables by byte.

export const tab = 9;
export const lf = 10;
export const cr = 13;
export const space = 32;
export const colon = 58;

/** Lower case of a token character (RFC 9110 §5.6.2), 0 for all others. */
export const tokenLower: Uint8Array = makeTokenTable();
/** 1 for what may stand in a field value, a reason or a chunk extension: no control but HTAB. */
export const isText: Uint8Array = makeTable((c) => c === tab || (c >= space && c !== 127));
/** 1 for what may stand in a request target. */
export const isTarget: Uint8Array = makeTable((c) => c > space && c !== 127);
/** Value of a hexadecimal digit, 255 for all others. */
export const hexValue: Uint8Array = makeHexTable();

/** Whether every character is in `table`; a character that is no latin1 byte never is. */
export function isAll(text: string, table: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) {
    // Beyond the table is undefined: U+010A would leave as a line feed.
    if (!table[text.charCodeAt(i)]) return false;
  }
  return true;
}

function makeTable(holds: (c: number) => boolean): Uint8Array {
  const table = new Uint8Array(256);
  for (let c = 0; c < 256; c++) if (holds(c)) table[c] = 1;
  return table;
}

function makeTokenTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
    const c = char.charCodeAt(0);
    table[c] = c;
    if (c >= 97 && c <= 122) table[c - 32] = c;
  }
  return table;
}

function makeHexTable(): Uint8Array {
  const table = new Uint8Array(256).fill(255);
  for (let value = 0; value < 16; value++) {
    const digit = value.toString(16);
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
}
