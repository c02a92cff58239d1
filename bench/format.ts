// Numbers as people read them.

/** Three digits or more: `51,700`, `412`, `19.0`, `1.98`, `0.62`. */
export function formatFigure(value: number): string {
  const size = Math.abs(value);
  if (size >= 10_000) return (Math.round(value / 100) * 100).toLocaleString('en');
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** `+3.1 %`, with a real minus sign. */
export function formatChange(share: number): string {
  return `${share < 0 ? '−' : '+'}${Math.abs(share * 100).toFixed(1)} %`;
}
