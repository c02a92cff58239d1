// Takes the secrets out of options before anyone sees them.

const hidden = 'xxxx';
const secretWords = ['password', 'secret', 'token', 'credential', 'apikey', 'api-key', 'authorization'];
const secretEnds = ['users', 'key', 'cert', 'keyfile', 'certfile'];
const secretNames = ['cookie', 'set-cookie', 'ca', 'x-auth'];
/** Sections whose keys are header names of the user's choice. */
const headerSections = ['customrequestheaders', 'customresponseheaders', 'headers'];
/** Deeper than any schema; what lies below is left out. */
const maxDepth = 12;

/** A copy in which nothing secret is left: plain data that JSON can carry. */
export function redact(value: unknown, key = '', depth = 0): unknown {
  if (depth > maxDepth) return hidden;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string')
    return key === 'address' ? withoutQuery(withoutUserinfo(value)) : withoutUserinfo(value);
  if (Array.isArray(value)) return value.map((item: unknown) => redact(item, key, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    if (inner === null || inner === undefined) continue;
    copy[name] = isSecret(name, key) && holdsText(inner) ? hidden : redact(inner, name, depth + 1);
  }
  return copy;
}

/** `http://user:password@host` loses what stands before the `@`. */
export function withoutUserinfo(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${hidden}@`);
}

/** Where an auth server takes a key of its own. */
function withoutQuery(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? url : `${url.slice(0, mark)}?${hidden}`;
}

function isSecret(name: string, parent: string): boolean {
  const lower = name.toLowerCase();
  // `cache.key` lists what makes two requests the same; nothing in it is secret.
  if (parent.toLowerCase() === 'cache' && lower === 'key') return false;
  // Lists of header names, not of values.
  if (lower.endsWith('headers') || lower.endsWith('headersregex')) return false;
  if (headerSections.includes(parent.toLowerCase()) && lower.startsWith('access-control-')) return false;
  return (
    secretWords.some((word) => lower.includes(word)) ||
    secretEnds.some((end) => lower.endsWith(end)) ||
    secretNames.includes(lower)
  );
}

function holdsText(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'object';
}
