// Custom headers: set or deleted on requests and responses.

import type { Exchange } from '../../exchange.ts';
import { deleteHeader, setHeader } from '../../headers.ts';
import { headerName, headerValue } from '../header-text.ts';
import { OwnHeaders } from '../own-headers.ts';

export type RequestEdits = (x: Exchange) => void;
export type ResponseEdits = (x: Exchange) => void;

/** Where a message ends and how its connection goes on is decided by the gateway alone. */
const framing: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Null when there are none. Throws `Error` on a name or value that cannot be sent. A CGI-like server takes `X_Tenant`
 * for `X-Tenant`: what is set or deleted here is gone in each of these spellings.
 */
export function buildRequestEdits(
  written: Readonly<Record<string, string>>,
  warn: (message: string) => void,
): RequestEdits | null {
  const key = 'customRequestHeaders';
  const edits = readEdits(written, key, warn);
  const host = edits.find((edit) => edit.name === 'host' && edit.value !== '');
  const others = edits.filter((edit) => edit.name !== 'host');
  if (host === undefined && others.length === 0) return null;
  if (host !== undefined && !/^[\w.~\-:[\]%]+$/.test(host.value))
    throw new Error(`${key}: Host is no host name`);
  const dropsForwardedFor = others.some((edit) => edit.name === 'x-forwarded-for' && edit.value === '');
  const own = new OwnHeaders(others.map((edit) => edit.name));
  const added = flatten(others);
  return (x) => {
    own.clear(x.headers);
    for (let i = 0; i < added.length; i++) x.headers.push(added[i] as string);
    if (host !== undefined) x.authority = host.value;
    if (dropsForwardedFor) x.dropForwardedFor = true;
  };
}

/** Null when there are none. Throws `Error` on a name or value that cannot be sent. */
export function buildResponseEdits(
  written: Readonly<Record<string, string>>,
  warn: (message: string) => void,
): ResponseEdits | null {
  const edits = readEdits(written, 'customResponseHeaders', warn);
  if (edits.length === 0) return null;
  return (x) => {
    for (let i = 0; i < edits.length; i++) applyEdit(x.responseHeaders, edits[i] as Edit);
  };
}

interface Edit {
  readonly name: string;
  /** Empty deletes. */
  readonly value: string;
}

function readEdits(
  written: Readonly<Record<string, string>>,
  key: string,
  warn: (message: string) => void,
): Edit[] {
  const edits: Edit[] = [];
  for (const [spelled, text] of Object.entries(written)) {
    const name = headerName(spelled, key);
    if (framing.has(name)) warn(`${key}: ${name} belongs to the connection and is left alone`);
    else edits.push({ name, value: headerValue(text, `${key}.${name}`) });
  }
  return edits;
}

/** Names and values of what is set, alternating; the last of two for one name counts. */
function flatten(edits: readonly Edit[]): readonly string[] {
  const values = new Map(edits.map((edit) => [edit.name, edit.value]));
  return [...values].filter(([, value]) => value !== '').flat();
}

function applyEdit(headers: string[], edit: Edit): void {
  if (edit.value === '') deleteHeader(headers, edit.name);
  else setHeader(headers, edit.name, edit.value);
}
