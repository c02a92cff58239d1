// Numbers as people read them, and text that cannot move a cursor.

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 1,234; below 10 with one place after the point. */
export function count(value: number): string {
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : grouped.format(value);
}

/** `value` in milliseconds. */
export function milliseconds(value: number | null): string {
  if (value === null) return '–';
  if (value < 10) return `${value.toFixed(1)} ms`;
  return value < 10_000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(1)} s`;
}

/** `12.3 %`; what is there but rounds to nothing is `< 0.1 %`. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 0.1) return '< 0.1 %';
  return `${percent === 0 || percent === 100 ? percent : percent.toFixed(1)} %`;
}

/** `seconds` in its two largest units. */
export function span(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

export function clock(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** What a server or a file has a say in may hold escape sequences: each control character is a dot. */
export function printable(text: string, most = 200): string {
  return text.slice(0, most).replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '·');
}

const bars = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** At most `width` characters, the youngest at its right end; what does not fit is put together, its largest counts. */
export function sparkline(values: readonly number[], width: number): string {
  if (width <= 0 || values.length === 0) return '';
  const step = Math.max(1, Math.ceil(values.length / width));
  const heights: number[] = [];
  // From the right, or every column would change with each second.
  for (let end = values.length; end > 0; end -= step)
    heights.unshift(Math.max(...values.slice(Math.max(0, end - step), end)));
  const most = Math.max(...heights);
  return heights
    .map((height) => (height === 0 ? '·' : bars[Math.max(1, Math.round((8 * height) / most))]))
    .join('');
}
