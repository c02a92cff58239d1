// By what kept decisions can be found again to be revoked: keyed digests of the values a request carried and
// of the headers its answer had, never the values themselves.

import { hash } from 'node:crypto';
import type { PurgeSelector } from '../../../model/ipc.ts';
import { getHeaderValues } from '../../headers.ts';

/** Bytes of one tag. */
const tagSize = 16;
/** Tags of one decision; a request or answer with more cannot be revoked in full, so it is not kept. */
const maxTags = 192;
export const maxTagBytes: number = maxTags * tagSize;

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
    if (selector.by === 'token') return this.#tag(tokenText(selector.token.trim()));
    return this.#tag(headerText(selector.name.toLowerCase(), selector.value.trim()));
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

/** Tokens a request carried that may tell their own end: bearer ones and cookies. */
export function tokensOf(sent: readonly string[]): string[] {
  const tokens = getHeaderValues(sent, 'authorization').map(bareToken);
  for (const line of getHeaderValues(sent, 'cookie')) {
    for (const pair of line.split(';')) tokens.push(pair.slice(pair.indexOf('=') + 1).trim());
  }
  return tokens;
}

const credentialNames: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'x-auth-token',
]);

function addSent(texts: Set<string>, name: string, value: string): void {
  if (name.startsWith('x-forwarded-')) return;
  texts.add(tokenText(value));
  if (name === 'authorization') texts.add(tokenText(bareToken(value)));
  if (name !== 'cookie') return;
  for (const pair of value.split(';')) texts.add(tokenText(pair.slice(pair.indexOf('=') + 1).trim()));
}

function bareToken(value: string): string {
  return value.slice(value.indexOf(' ') + 1).trim();
}

function tokenText(value: string): string {
  return `token:${value}`;
}

function headerText(name: string, value: string): string {
  return `header:${name}:${value}`;
}
