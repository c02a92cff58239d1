// By what kept decisions can be found again to be revoked: keyed digests of the values a request carried and
// of the headers its answer had, never the values themselves.

import { hash } from 'node:crypto';
import type { PurgeSelector } from '../../../model/ipc.ts';
import { toBytes } from '../header-text.ts';
import { unescapeBytes } from '../path-text.ts';

/** Bytes of one tag. */
const tagSize = 16;
/** Tags of one decision; a request or answer with more cannot be revoked in full, so it is not kept. */
const maxTags = 192;
export const maxTagBytes: number = maxTags * tagSize;
/** Cookies or parameters looked at: one more than tags allow, so that what has more is not kept. */
const maxPairs = maxTags + 1;

/** Tags of one decision, end to end. */
export type Tags = string;

export class Tagger {
  readonly #secret: string;

  constructor(bootSecret: string) {
    this.#secret = bootSecret;
  }

  /** Null when there are too many. `sent` and `answered` are flat name, value lists. */
  tagsOf(sent: readonly string[], answered: readonly string[]): Tags | null {
    const texts = new Set<string>();
    for (let i = 0; i < sent.length; i += 2) addSent(texts, sent[i] as string, sent[i + 1] as string);
    for (let i = 0; i < answered.length; i += 2) {
      texts.add(headerText(answered[i] as string, answered[i + 1] as string));
    }
    if (texts.size > maxTags) return null;
    let tags = '';
    for (const text of texts) tags += this.#tag(text);
    return tags;
  }

  /** Null for "all". */
  ofSelector(selector: PurgeSelector): Tags | null {
    if (selector.by === 'all') return null;
    // Header lists hold one char a byte.
    if (selector.by === 'token') return this.#tag(tokenText(toBytes(selector.token.trim())));
    return this.#tag(headerText(selector.name.toLowerCase(), toBytes(selector.value.trim())));
  }

  #tag(text: string): string {
    return hash('sha256', `${this.#secret}tag:${text}`, 'binary').slice(0, tagSize);
  }
}

export function hasTag(tags: Tags, tag: string): boolean {
  for (let at = tags.indexOf(tag); at !== -1; at = tags.indexOf(tag, at + 1)) {
    if (at % tagSize === 0) return true;
  }
  return false;
}

/** Whether a request showed who it is from; `sent` as in `tagsOf`. */
export function carriesCredentials(sent: readonly string[], alsoCredentials: readonly string[]): boolean {
  for (let i = 0; i < sent.length; i += 2) {
    const name = sent[i] as string;
    if (credentialNames.has(name) || alsoCredentials.includes(name)) return true;
  }
  return false;
}

/** Whatever a request carried that may be a token and tell its own end. */
export function tokensOf(sent: readonly string[]): string[] {
  const tokens = new Set<string>();
  for (let i = 0; i < sent.length; i += 2) addTokens(tokens, sent[i] as string, sent[i + 1] as string);
  return [...tokens];
}

/** Headers by which clients show who they are. */
const credentialNames: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'x-auth-token',
]);

function addSent(texts: Set<string>, name: string, value: string): void {
  const tokens = new Set<string>();
  addTokens(tokens, name, value);
  for (const token of tokens) texts.add(tokenText(token));
}

function addTokens(tokens: Set<string>, name: string, value: string): void {
  if (name === 'x-forwarded-uri') {
    // `?access_token=…`, as browsers authenticate WebSockets and downloads.
    const query = value.indexOf('?');
    if (query !== -1) addPairs(tokens, value.slice(query + 1), '&');
    return;
  }
  if (name.startsWith('x-forwarded-')) return;
  tokens.add(value);
  if (name === 'cookie') addPairs(tokens, value, ';');
  // Where scripts in browsers put a token when they open a WebSocket, beside the names of subprotocols.
  else if (name === 'sec-websocket-protocol') addItems(tokens, value);
  else addCredentials(tokens, value);
}

function addItems(tokens: Set<string>, list: string): void {
  for (const item of list.split(',', maxPairs)) tokens.add(item.trim());
}

/** What follows the scheme; of Basic also name and password, in whose place git and registries send tokens. */
function addCredentials(tokens: Set<string>, value: string): void {
  const bare = bareToken(value);
  tokens.add(bare);
  if (!/^basic[ \t]/i.test(value)) return;
  const pair = Buffer.from(bare, 'base64').toString('latin1');
  const colon = pair.indexOf(':');
  if (colon > 0) tokens.add(pair.slice(0, colon));
  if (colon !== -1 && colon + 1 < pair.length) tokens.add(pair.slice(colon + 1));
}

/** The value of each pair, also as it is without quotes and escapes. */
function addPairs(tokens: Set<string>, text: string, between: string): void {
  for (const pair of text.split(between, maxPairs)) {
    const written = pair.slice(pair.indexOf('=') + 1).trim();
    if (written === '') continue;
    tokens.add(written);
    if (written.includes('%')) tokens.add(unescapeBytes(written) ?? written);
    if (written.startsWith('"') && written.endsWith('"')) tokens.add(written.slice(1, -1));
  }
}

/** What follows the scheme: auth servers take any white space between the two. */
function bareToken(value: string): string {
  return value.slice(value.search(/[ \t]/) + 1).trim();
}

function tokenText(value: string): string {
  return `token:${value}`;
}

function headerText(name: string, value: string): string {
  return `header:${name}:${value}`;
}
