// All providers as one: the last value of each, no more often than the throttle allows.

import type { ProviderConfig } from '../config/dynamic/provider-config.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Emit, Provider } from './provider.ts';

export interface AggregateOptions {
  readonly providers: readonly Provider[];
  /** Values that never change: the internal provider's. */
  readonly fixed: readonly ProviderConfig[];
  /** Milliseconds between two updates of one provider: the first goes at once, then the latest of each window. */
  readonly throttle: number;
  readonly onChange: (sources: readonly ProviderConfig[]) => void;
  /** All that is wrong with one provider at present. */
  readonly onDiagnostics: (provider: string, diagnostics: readonly Diagnostic[]) => void;
}

export interface Aggregate {
  /** Calls `onChange` once before it returns, with what every provider gave at once. */
  start(): void;
  reload(): void;
  close(): void;
}

export function createAggregate(options: AggregateOptions): Aggregate {
  const { providers, onChange, onDiagnostics } = options;
  const latest = new Map<string, ProviderConfig>();
  const windows: Window[] = [];
  let isStarting = true;
  let isClosed = false;

  const deliver = (update: ProviderConfig): void => {
    latest.set(update.provider, update);
    if (!isStarting && !isClosed) onChange([...options.fixed, ...latest.values()]);
  };
  return {
    start() {
      for (const provider of providers) {
        const window = createWindow(options.throttle, deliver);
        windows.push(window);
        provider.start(window.push, (diagnostics) => onDiagnostics(provider.name, diagnostics));
      }
      isStarting = false;
      onChange([...options.fixed, ...latest.values()]);
    },
    reload() {
      for (const provider of providers) provider.reload();
    },
    close() {
      isClosed = true;
      for (const provider of providers) provider.close();
      for (const window of windows) window.close();
    },
  };
}

interface Window {
  /** What is urgent goes at once and opens no window. */
  readonly push: Emit;
  close(): void;
}

/** Holds at most one update back. */
function createWindow(throttle: number, deliver: (update: ProviderConfig) => void): Window {
  let timer: NodeJS.Timeout | null = null;
  let waiting: ProviderConfig | null = null;
  const open = (): void => {
    if (throttle <= 0) return;
    timer = setTimeout(() => {
      timer = null;
      if (waiting === null) return;
      const update = waiting;
      waiting = null;
      open();
      deliver(update);
    }, throttle);
    timer.unref();
  };
  return {
    push(update, isUrgent = false) {
      if (isUrgent) {
        // What waits is older.
        waiting = null;
        deliver(update);
        return;
      }
      if (timer !== null) {
        waiting = update;
        return;
      }
      open();
      deliver(update);
    },
    close() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}
