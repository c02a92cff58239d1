// Takes the secrets out of options before anyone sees them: what the schemas mark, and, where no schema speaks, what
// has the name of a secret.

import { isZero, type Marks, type SecretMark } from '../../config/secrets.ts';
import { goDuration } from './answers.ts';

const hidden = 'xxxx';
/** Deeper than any schema; what lies below is left out. */
const maxDepth = 12;

/** A copy in which nothing secret is left: plain data that JSON can carry. Null: no schema says what is secret. */
export function redact(value: unknown, marks: Marks | null, depth = 0): unknown {
  if (depth > maxDepth) return hidden;
  if (marks?.kind === 'marked') return showMarked(value, marks.mark, depth);
  if (marks?.kind === 'duration' && typeof value === 'number') return goDuration(value);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') return withoutUserinfo(value);
  if (typeof value !== 'object' || value === null) return value;
  const each = marks?.kind === 'each' ? marks.of : null;
  if (Array.isArray(value)) return value.map((item: unknown) => redact(item, each, depth + 1));
  const isSilent = (name: string, inner: unknown): boolean =>
    marks?.kind === 'object' && marks.silent.has(name) && isZero(inner);
  return mapObject(value, (name, inner) => {
    if (isSilent(name, inner)) return undefined;
    const below = marks?.kind === 'object' ? (marks.fields.get(name) ?? null) : each;
    // Free keys are names of the user's choice, and so is what no schema knows.
    const isUnknown = below === null || (marks?.kind === 'each' && below.kind === 'leaf');
    return isUnknown && soundsSecret(name) ? hide(inner, depth + 1) : redact(inner, below, depth + 1);
  });
}

/** Headers that go to a server: the values that are known to hold no secret, and `xxxx` for all others. */
export function redactHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isHarmless(name, value) ? value : hidden]),
  );
}

/** `http://user:password@host` loses what stands before the `@`. */
export function withoutUserinfo(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${hidden}@`);
}

/** A name that a secret might have; for what no schema marks. */
export function soundsSecret(name: string): boolean {
  return /passw|passphrase|secret|token|credential|api-?key|authori[sz]ation|cookie$|users$|key$|hmac|^x-auth$/i.test(
    name,
  );
}

function showMarked(value: unknown, mark: SecretMark, depth: number): unknown {
  if (mark === 'value') return hide(value, depth);
  if (typeof value === 'string') return withoutQuery(withoutUserinfo(value));
  if (mark === 'url' || typeof value !== 'object' || value === null) return hide(value, depth);
  return mapObject(value, (name, inner) => {
    // What is sent to every client is no secret, but for what is made to be one client's own.
    const isShown =
      mark === 'response-headers'
        ? !soundsSecret(name)
        : typeof inner === 'string' && isHarmless(name, inner);
    return isShown ? redact(inner, { kind: 'leaf' }, depth + 1) : hide(inner, depth + 1);
  });
}

const harmlessNames =
  /^(accept(-.*)?|access-control-.*|cache-control|connection|content-type|forwarded|host|origin|priority|range|referer|te|upgrade(-.*)?|user-agent|via|x-forwarded-.*|x-real-ip|x-request-start|x-scheme|x-script-name|x-original-.*)$/i;
const harmlessValue = /^(|true|false|on|off|yes|no|https?|\d{1,3})$/i;

function isHarmless(name: string, value: string): boolean {
  return harmlessNames.test(name) || harmlessValue.test(value);
}

/** The same shape with `xxxx` in every place that holds something. */
function hide(value: unknown, depth: number): unknown {
  if (value === undefined || value === null || value === '' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || depth > maxDepth) return hidden;
  if (Array.isArray(value)) return value.map((item: unknown) => hide(item, depth + 1));
  return mapObject(value, (_name, inner) => hide(inner, depth + 1));
}

function mapObject(
  value: object,
  change: (name: string, inner: unknown) => unknown,
): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const shown = inner === null || inner === undefined ? undefined : change(name, inner);
    if (shown !== undefined) copy[name] = shown;
  }
  return copy;
}

/** Where an auth server takes a key of its own. */
function withoutQuery(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? url : `${url.slice(0, mark)}?${hidden}`;
}
