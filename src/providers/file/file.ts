// The file provider: one file or a directory of them, read at start, at every change and at SIGHUP.

import type { ProviderConfig } from '../../config/dynamic/provider-config.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Provider } from '../provider.ts';
import type { ReadSettings } from './read.ts';
import type { FileTarget } from './store.ts';
import { createFileStore, emptyGraceMs } from './store.ts';
import type { FileWatch } from './watch.ts';
import { watchFiles } from './watch.ts';

export interface FileProviderOptions extends ReadSettings {
  readonly target: FileTarget;
  readonly watch: boolean;
}

export function createFileProvider(options: FileProviderOptions): Provider {
  const store = createFileStore(options.target, options);
  let emit: ((update: ProviderConfig) => void) | null = null;
  let report: ((diagnostics: Diagnostic[]) => void) | null = null;
  let watch: FileWatch | null = null;

  function look(depth: 'signs' | 'content' | 'all'): void {
    // Watch before reading: what changes in between is an event, not a loss.
    const { changed, again } = store.refresh(depth);
    watch?.arm(store.listing());
    // A little later than that: a timer may fire a millisecond early.
    if (again) watch?.again(emptyGraceMs + 20);
    if (!changed) return;
    report?.(store.diagnostics());
    emit?.(store.config());
  }

  return {
    name: 'file',
    start(onUpdate, onReport) {
      emit = onUpdate;
      report = onReport;
      if (options.watch) watch = watchFiles((by) => look(by === 'poll' ? 'signs' : 'content'));
      look('all');
      // The first look armed the watches only after reading.
      if (options.watch) look('content');
    },
    reload: () => look('all'),
    close() {
      watch?.close();
      emit = null;
      report = null;
    },
  };
}
