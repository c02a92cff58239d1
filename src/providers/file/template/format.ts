// printf: %s %v %d %q %t %x %% with width, `-` and `0`.

import { print } from './values.ts';
import type { Value } from './values.ts';

const maxWidth = 1000;

/** Throws `Error` for a verb that isn't there or an argument too few or too many. */
export function format(pattern: string, args: readonly Value[]): string {
  let next = 0;
  const out = pattern.replace(/%([-0]*)(\d*)(.?)/gs, (_all, flags: string, width: string, verb: string) => {
    if (verb === '%') return '%';
    if (next >= args.length) throw new Error('printf has fewer arguments than verbs');
    const value = args[next] as Value;
    next += 1;
    return pad(verbText(verb, value), flags, Math.min(Number(width || '0'), maxWidth));
  });
  if (next < args.length) throw new Error('printf has more arguments than verbs');
  return out;
}

function verbText(verb: string, value: Value): string {
  switch (verb) {
    case 's':
    case 'v':
      return print(value);
    case 'd':
    case 'x':
      if (typeof value !== 'number') throw new Error(`printf %${verb} wants a number`);
      return value.toString(verb === 'x' ? 16 : 10);
    case 'q':
      return JSON.stringify(print(value));
    case 't':
      if (typeof value !== 'boolean') throw new Error('printf %t wants true or false');
      return String(value);
    default:
      throw new Error(`printf knows %s %v %d %q %t %x %%, not %${verb}`);
  }
}

function pad(text: string, flags: string, width: number): string {
  if (flags.includes('-')) return text.padEnd(width);
  return text.padStart(width, flags.includes('0') ? '0' : ' ');
}
