// Fields of a log line without the secrets in them.

/** Deeper than this a value is not looked at and not written. */
const maxDepth = 6;
/** Entries of one object or list that are written. */
const maxEntries = 100;

const secretName = /authorization|cookie|passw(?:or)?d|secret|token|api[-_]?key|private[-_]?key|credential/i;
const redacted = 'REDACTED';

/** A copy in which every value under a secret's name is gone and errors are their messages. */
export function redactFields(fields: object): Record<string, unknown> {
  return redactObject(fields, 0);
}

function redactObject(fields: object, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  let left = maxEntries;
  for (const [name, value] of Object.entries(fields)) {
    if (left-- === 0) break;
    clean[name] = secretName.test(name) ? redacted : redactValue(value, depth + 1);
  }
  return clean;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return value.message;
  if (depth > maxDepth) return '...';
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((item) => redactValue(item, depth + 1));
  return redactObject(value, depth);
}
