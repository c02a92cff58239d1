// An answer's head in one call: each call into the engine costs more than a header line of text.

import type { HttpResponse } from 'uWebSockets.js';
import type { HeaderList } from '../../headers.ts';
import { statusLine } from '../../status.ts';

/** Heads up to this many bytes are written where all of them are. */
const sharedBytes = 8 * 1024;
const shared = Buffer.allocUnsafeSlow(sharedBytes);
/** Its first n bytes, by n: heads come in few lengths, and a view takes longer to make than to find. */
const views: (Uint8Array | null)[] = Array.from<Uint8Array | null>({ length: sharedBytes + 1 }).fill(null);

/**
 * Status line and header lines; the engine adds Content-Length and Date by itself. `close` says that the
 * connection ends with this answer. Values are latin1 without line breaks: the engine takes them as they are.
 */
export function writeHead(res: HttpResponse, status: number, headers: HeaderList, close: boolean): void {
  let head = statusLine(status);
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name === 'content-length' || name === 'date') continue;
    head += `\r\n${name}: ${headers[i + 1]}`;
  }
  // RFC 9112 §9.6: who closes says so.
  if (close) head += '\r\nconnection: close';
  // A string would leave as UTF-8; a latin1 one must leave as the bytes it came in as.
  res.writeStatus(toBytes(head));
}

/** To be used at once: what comes next is written to the same place. */
function toBytes(head: string): Uint8Array {
  const { length } = head;
  if (length > sharedBytes) return Buffer.from(head, 'latin1');
  shared.write(head, 'latin1');
  let view = views[length] as Uint8Array | null;
  if (view === null) {
    view = shared.subarray(0, length);
    views[length] = view;
  }
  return view;
}
