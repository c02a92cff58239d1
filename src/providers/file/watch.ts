// Tells that something about the files may have changed. Events first; where they don't come (network
// mounts, bind mounts whose inode is gone) a slow look at the file system does.

import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { resolve } from 'node:path';
import type { Listing } from './list.ts';

export const debounceMs = 50;
export const pollMs = 5000;
/** Files watched by themselves; beyond it their directories' events and the poll have to do. */
export const maxFileWatches = 1000;

export interface FileWatch {
  /** Watch exactly these from now on. */
  arm(listing: Listing): void;
  /** Call `onChange('event')` once more after `ms`. */
  again(ms: number): void;
  close(): void;
}

export function watchFiles(onChange: (by: 'event' | 'poll') => void): FileWatch {
  const state: State = { watchers: new Map(), timer: null, due: 0, onChange, closed: false };
  const poll = setInterval(() => onChange('poll'), pollMs);
  poll.unref();
  return {
    arm: (listing) => arm(state, listing),
    again: (ms) => schedule(state, ms),
    close() {
      state.closed = true;
      clearInterval(poll);
      if (state.timer !== null) clearTimeout(state.timer);
      for (const watcher of state.watchers.values()) watcher.close();
      state.watchers.clear();
    },
  };
}

interface State {
  /** By path: at most `maxDirectories` and `maxFileWatches`. */
  readonly watchers: Map<string, FSWatcher>;
  timer: NodeJS.Timeout | null;
  /** When the timer fires, in milliseconds of `performance.now()`. */
  due: number;
  readonly onChange: (by: 'event' | 'poll') => void;
  closed: boolean;
}

function arm(state: State, listing: Listing): void {
  const wanted = new Set(
    [...listing.directories, ...listing.files.slice(0, maxFileWatches)].map((path) => resolve(path)),
  );
  for (const [path, watcher] of state.watchers) {
    if (wanted.has(path)) continue;
    watcher.close();
    state.watchers.delete(path);
  }
  for (const path of wanted) if (!state.watchers.has(path)) add(state, path);
}

function add(state: State, path: string): void {
  try {
    const watcher = watch(path, { persistent: false }, (event) => {
      // A watch follows the inode: after a rename it looks at the file that was there before.
      if (event === 'rename') drop(state, path, watcher);
      schedule(state, debounceMs);
    });
    watcher.on('error', () => {
      drop(state, path, watcher);
      schedule(state, debounceMs);
    });
    state.watchers.set(path, watcher);
  } catch {
    // Gone already, or the system has no watches left: the poll sees it.
  }
}

function drop(state: State, path: string, watcher: FSWatcher): void {
  watcher.close();
  if (state.watchers.get(path) === watcher) state.watchers.delete(path);
}

function schedule(state: State, ms: number): void {
  const due = performance.now() + ms;
  if (state.closed || (state.timer !== null && state.due <= due)) return;
  if (state.timer !== null) clearTimeout(state.timer);
  state.due = due;
  state.timer = setTimeout(() => {
    state.timer = null;
    state.onChange('event');
  }, ms);
  state.timer.unref();
}
