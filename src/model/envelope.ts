// What an IPC message travels in: the protocol's number, so that code replaced on disk is noticed.

import type { ToPrimary, ToWorker } from './ipc.ts';

/** Counts up whenever a message changes its meaning. */
export const protocol = 2;

export interface Envelope<Message> {
  readonly portcullis: number;
  readonly message: Message;
}

export type Opened<Message> =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly reason: 'foreign' | 'version' };

/** What `open` opens, in a process of the same release. */
export function seal<Message extends ToWorker | ToPrimary>(message: Message): Envelope<Message> {
  return { portcullis: protocol, message };
}

/** `foreign`: not ours, to be ignored. `version`: the other side runs another release. */
export function open<Message extends ToWorker | ToPrimary>(value: unknown): Opened<Message> {
  if (typeof value !== 'object' || value === null || !('portcullis' in value) || !('message' in value)) {
    return { ok: false, reason: 'foreign' };
  }
  if (value.portcullis !== protocol) return { ok: false, reason: 'version' };
  return { ok: true, message: value.message as Message };
}
