// Numbers, times and sizes as people read them.

/** `1.2k`, `340`, `0.4`. */
export function count(value: number): string {
  if (value >= 1_000_000) return `${(value / 1_000_000).toFixed(1)}M`;
  if (value >= 10_000) return `${(value / 1000).toFixed(1)}k`;
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

/** Milliseconds: `0.8 ms`, `12 ms`, `1.4 s`. */
export function milliseconds(value: number | null): string {
  if (value === null) return '–';
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return value >= 10 ? `${Math.round(value)} ms` : `${value.toFixed(1)} ms`;
}

/** `99.2 %`; `–` of nothing. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  // What is not all must not be rounded to all, nor something to nothing.
  if (percent > 99.9 && part < whole) return '99.9 %';
  if (percent < 0.1 && part > 0) return '<0.1 %';
  return `${percent.toFixed(percent % 1 === 0 ? 0 : 1)} %`;
}

/** How long ago, or in how long: `12 s ago`, `in 3 d`. Milliseconds, both. */
export function ago(at: number, now: number): string {
  const past = now - at;
  const text = span(Math.abs(past));
  if (text === '0 s') return 'now';
  return past >= 0 ? `${text} ago` : `in ${text}`;
}

export function span(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `2026-03-01 14:05`, in the reader's own time. */
export function dateTime(at: number | string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '–';
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? '' : 's'}`;
}
