// Why an order failed, in words that may be shown.

/** `message` names no secret and is at most 1,000 characters. */
export class AcmeProblem extends Error {
  /** The last part of the authority's `urn:ietf:params:acme:error:…`; null: the problem is not of its making. */
  readonly kind: string | null;
  /** Milliseconds; null: the authority did not say. */
  readonly retryAfter: number | null;

  constructor(message: string, kind: string | null = null, retryAfter: number | null = null) {
    super(shortText(message));
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}

/** What an authority says of a call, an authorisation or an order (RFC 8555, section 6.7). */
export function describeProblem(value: unknown): { readonly kind: string | null; readonly text: string } {
  if (typeof value !== 'object' || value === null) return { kind: null, text: 'no reason given' };
  const { type, detail, subproblems } = value as Record<string, unknown>;
  const kind =
    typeof type === 'string' ? (/^urn:ietf:params:acme:error:(\w{1,64})$/.exec(type)?.[1] ?? null) : null;
  const parts = [typeof detail === 'string' ? detail : 'no reason given'];
  for (const one of Array.isArray(subproblems) ? subproblems.slice(0, 5) : []) {
    const { detail: inner, identifier } = (one ?? {}) as Record<string, unknown>;
    const name = (identifier as { value?: unknown } | undefined)?.value;
    if (typeof inner === 'string') parts.push(typeof name === 'string' ? `${name}: ${inner}` : inner);
  }
  return { kind, text: shortText(kind === null ? parts.join('; ') : `${parts.join('; ')} (${kind})`) };
}

/** One line of at most 1,000 characters, of whatever was thrown. */
export function oneLineOf(error: unknown): string {
  if (!(error instanceof Error)) return shortText(String(error));
  const { code } = error as NodeJS.ErrnoException;
  // A connection refused on every address of a name is an AggregateError without words of its own.
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined)?.message : undefined;
  return shortText(error.message || inner || code || error.name);
}

/** One line of at most 1,000 characters, without control characters. */
export function shortText(text: string): string {
  const line = text
    .slice(0, 4000)
    .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')
    .trim();
  return line.length <= 1000 ? line : `${line.slice(0, 999)}…`;
}
