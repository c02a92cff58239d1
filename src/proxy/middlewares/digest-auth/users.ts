// Users as htdigest writes them: `name:realm:hash`, the hash being MD5 of `name:realm:password`.

import { toBytes } from '../header-text.ts';

/** Users of one middleware. */
const maxUsers = 100_000;

/** Hash by `name:realm`, one char a byte. Throws `Error` for a line that is none. */
export function parseDigestUsers(lines: readonly string[]): ReadonlyMap<string, string> {
  if (lines.length > maxUsers) throw new Error(`more than ${maxUsers} users`);
  const users = new Map<string, string>();
  for (const line of lines) {
    const message = digestProblem(line);
    if (message !== null) throw new Error(message);
    const [, name = '', realm = '', digest = ''] = linePattern.exec(line) ?? [];
    const key = `${toBytes(name)}:${toBytes(realm)}`;
    // The first of two wins, as in a file that was written into another one.
    if (!users.has(key)) users.set(key, digest.toLowerCase());
  }
  return users;
}

/** `users` and the lines of a file; the former win. Throws `Error` without any user, or for a bad line. */
export function mergeDigestUsers(users: readonly string[], file: string): string[] {
  const lines = file
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of lines) {
    const message = digestProblem(line);
    if (message !== null) throw new Error(`usersFile: ${message}`);
  }
  if (users.length + lines.length === 0) throw new Error('usersFile holds no user');
  return [...users, ...lines];
}

// A control character in a name would end up in a header.
// oxlint-disable-next-line no-control-regex
const linePattern = /^([^:\x00-\x1f\x7f]+):([^:\x00-\x1f\x7f]*):([0-9A-Fa-f]{32})$/;

/** What is wrong with the line, naming the user and never the hash; null when nothing is. */
export function digestProblem(line: string): string | null {
  if (line.length <= 1_024 && linePattern.test(line)) return null;
  const colon = line.indexOf(':');
  const user = colon < 1 ? '' : ` for the user ${JSON.stringify(line.slice(0, Math.min(colon, 80)))}`;
  return `expected name:realm:hash with 32 hexadecimal digits${user}, as htdigest writes it`;
}
