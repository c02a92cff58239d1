// What both protocols of the node engine know of the entry point they serve.

import type { EntryPoint } from '../entry-point.ts';
import type { ListenerHost } from '../listener.ts';

export interface Door {
  readonly entryPoint: EntryPoint;
  readonly host: ListenerHost;
  readonly scheme: 'http' | 'https';
}
