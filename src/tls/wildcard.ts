// Which wildcard stands for a name: in certificates, and in what is served by name.

/** `*.example.com` for `a.example.com`, whatever the first label is; null for a name without a dot. */
export function wildcardAbove(name: string): string | null {
  const dot = name.indexOf('.');
  return dot <= 0 ? null : `*${name.slice(dot)}`;
}
