// What stands for a client in the tables: short, and holding on to nothing else.

import { hash } from 'node:crypto';
import { maxKeyLength } from './state.ts';

/** Names the source among its space's keys: itself, or its hash when it is longer than 128 characters. */
export function stateKey(source: string): string {
  return source.length <= maxKeyLength ? source : `sha256:${hash('sha256', source)}`;
}

/** A copy of its own: a piece of a long header would keep the whole of it alive for as long as the key is kept. */
export function ownKey(key: string): string {
  return Buffer.from(key, 'utf16le').toString('utf16le');
}
