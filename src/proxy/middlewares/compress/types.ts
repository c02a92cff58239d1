// Which content types are compressed.

/** `Text/HTML; charset=utf-8` → `text/html`; empty for none. */
export function mediaType(contentType: string | null): string {
  if (contentType === null) return '';
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** At most one of the lists has members. */
export function typeFilter(
  excluded: readonly string[],
  included: readonly string[],
): (type: string) => boolean {
  const out = new Set(excluded.map(mediaType));
  const only = new Set(included.map(mediaType));
  return (type) => (only.size > 0 ? only.has(type) : !out.has(type));
}
