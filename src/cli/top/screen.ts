// The terminal while `top` has it: the alternate screen, keys, and everything as it was at the end, however that comes.

export type Key = 'quit' | 'up' | 'down' | 'first' | 'pause';

export interface Screen {
  /** Both at least 1. */
  size(): { readonly width: number; readonly height: number };
  /** In place of what was there; rows that do not fit are left out. */
  show(rows: readonly string[]): void;
  close(): void;
}

interface Listeners {
  readonly onKey: (key: Key) => void;
  readonly onResize: () => void;
}

// Alternate screen, no cursor, no wrapping; and back.
const enter = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const leave = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const keys: ReadonlyMap<string, Key> = new Map([
  ['q', 'quit'],
  ['Q', 'quit'],
  ['\u0003', 'quit'],
  ['\u0004', 'quit'],
  ['\u001b', 'quit'],
  ['\u001b[A', 'up'],
  ['\u001bOA', 'up'],
  ['k', 'up'],
  ['\u001b[B', 'down'],
  ['\u001bOB', 'down'],
  ['j', 'down'],
  ['\u001b[H', 'first'],
  ['g', 'first'],
  ['p', 'pause'],
  [' ', 'pause'],
]);
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Both streams must be terminals. */
export function openScreen({ onKey, onResize }: Listeners): Screen {
  const { stdin, stdout } = process;
  let isOpen = true;
  const restore = (): void => {
    if (!isOpen) return;
    isOpen = false;
    stdout.write(leave);
    stdin.setRawMode(false);
  };
  const quit = (): void => onKey('quit');
  const onData = (data: string): void => {
    const key = keys.get(data);
    if (key !== undefined) onKey(key);
  };
  stdout.write(enter);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.on('data', onData);
  stdin.on('end', quit);
  stdout.on('resize', onResize);
  for (const signal of signals) process.on(signal, quit);
  // What nobody caught ends the process: the shell must get its terminal back all the same.
  process.on('exit', restore);
  return {
    size: () => ({ width: Math.max(1, stdout.columns), height: Math.max(1, stdout.rows) }),
    show(rows) {
      if (!isOpen) return;
      // Each row clears what is left of the older one: clearing all first would flicker.
      const fitting = rows.slice(0, stdout.rows).map((row) => `${row}\u001b[K`);
      stdout.write(`\u001b[H${fitting.join('\r\n')}\u001b[J`);
    },
    close() {
      restore();
      stdin.off('data', onData);
      stdin.off('end', quit);
      stdin.pause();
      stdout.off('resize', onResize);
      process.off('exit', restore);
      for (const signal of signals) process.off(signal, quit);
    },
  };
}
