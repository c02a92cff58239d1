// Which wildcard stands for a name: in certificates, and in what is served by name.

/** `*.example.com` for `a.example.com`; null for a wildcard and for a name without a dot. */
export function wildcardOf(name: string): string | null {
  const dot = name.indexOf('.');
  return dot <= 0 || name.startsWith('*') ? null : `*${name.slice(dot)}`;
}
