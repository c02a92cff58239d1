// Which headers stand in an access log line, and in what form.

import type { AccessLogSettings, HeaderMode } from '../model/settings.ts';
import { jsonOfBytes } from './log-text.ts';

const redacted = 'REDACTED';

/** How the header `name` (lower case) is written. */
export function headerMode(fields: AccessLogSettings['fields'], name: string): HeaderMode {
  return fields.headers[name] ?? fields.headersDefaultMode;
}

/** Whether any header is ever written. */
export function writesHeaders(fields: AccessLogSettings['fields']): boolean {
  return (
    fields.headersDefaultMode !== 'drop' || Object.values(fields.headers).some((mode) => mode !== 'drop')
  );
}

/** Members of a JSON object, each with a comma in front, sorted by name. */
export type HeaderMembers = (headers: readonly string[]) => string;

/** Null when no header is ever written. `prefix` is `request_`, `origin_` or `downstream_`. */
export function buildHeaderMembers(
  fields: AccessLogSettings['fields'],
  prefix: string,
): HeaderMembers | null {
  if (!writesHeaders(fields)) return null;
  const modes = new Map(Object.entries(fields.headers));
  const byDefault = fields.headersDefaultMode;
  const keyOf = createKeys(prefix);
  return (headers) => {
    const members: string[] = [];
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      const mode = modes.get(name) ?? byDefault;
      if (mode === 'drop' || isRepeat(headers, i)) continue;
      const value = mode === 'redact' ? redacted : joinValues(headers, i);
      members.push(keyOf(name) + jsonOfBytes(value));
    }
    return members.length < 2 ? (members[0] ?? '') : members.sort().join('');
  };
}

/** Value of `name` as CLF shows it: empty when it is dropped or absent. */
export function headerForClf(mode: HeaderMode, headers: readonly string[], name: string): string {
  if (mode === 'drop') return '';
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) return mode === 'redact' ? redacted : (headers[i + 1] as string);
  }
  return '';
}

/** Names whose spelling is remembered, and their length: clients choose them. */
const maxKeys = 1_000;
const maxKeyLength = 64;

/** `,"request_User-Agent":` of `user-agent`. Spelling a name takes longer than the rest of its member. */
function createKeys(prefix: string): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const key = `,${jsonOfBytes(prefix + canonical(name))}:`;
    if (known.size < maxKeys && name.length <= maxKeyLength) known.set(name, key);
    return key;
  };
}

function isRepeat(headers: readonly string[], at: number): boolean {
  for (let i = 0; i < at; i += 2) if (headers[i] === headers[at]) return true;
  return false;
}

function joinValues(headers: readonly string[], from: number): string {
  let value = headers[from + 1] as string;
  for (let i = from + 2; i < headers.length; i += 2) {
    if (headers[i] === headers[from]) value += `,${headers[i + 1]}`;
  }
  return value;
}

/** `user-agent` → `User-Agent`. */
function canonical(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
