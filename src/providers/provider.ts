// What every source of dynamic configuration offers.

import type { Diagnostic } from '../model/diagnostic.ts';
import type { ProviderConfig } from '../config/dynamic/provider-config.ts';

/** `isUrgent`: servers leave, which no throttle may hold back. */
export type Emit = (update: ProviderConfig, isUrgent?: boolean) => void;

export interface Provider {
  /** The part after `@` in qualified names. */
  readonly name: string;
  /**
   * Reads at once and calls `emit` before it returns where it can; later again with every change. `report`
   * gets all that is wrong at present, replacing what it got before.
   */
  start(emit: Emit, report: (diagnostics: Diagnostic[]) => void): void;
  /** Of a provider that cannot read at once: settles after its first try, which may have failed. */
  ready?(): Promise<void>;
  /** Look again, even if nothing seems to have changed. */
  reload(): void;
  /** Nothing is called afterwards. */
  close(): void;
}
