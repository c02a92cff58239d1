// Users as htpasswd writes them: `name:hash`, with bcrypt, Apache's MD5 or SHA-1.

import { toBytes } from '../header-text.ts';

/** Users of one middleware, and bytes of one line. */
const maxUsers = 100_000;
const maxLine = 1_024;
/** Above this a single login takes more than two seconds of a core. */
const maxCost = 15;

/** Hash by name, one char a byte. Throws `Error` for a line that is none. */
export function parseUsers(lines: readonly string[]): ReadonlyMap<string, string> {
  if (lines.length > maxUsers) throw new Error(`more than ${maxUsers} users`);
  const users = new Map<string, string>();
  for (const line of lines) {
    const message = usersProblem(line);
    if (message !== null) throw new Error(message);
    const colon = line.indexOf(':');
    const name = toBytes(line.slice(0, colon));
    // The first of two wins, as in a file that was written into another one.
    if (!users.has(name)) users.set(name, line.slice(colon + 1).trim());
  }
  return users;
}

/** `users` and the lines of a file; the former win. Throws `Error` without any user, or for a bad line. */
export function mergeUsers(users: readonly string[], file: string): string[] {
  const lines = file
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const merged = [...users, ...lines];
  if (merged.length === 0) throw new Error('usersFile holds no user');
  for (const line of lines) {
    const message = usersProblem(line);
    if (message !== null) throw new Error(`usersFile: ${message}`);
  }
  return merged;
}

/** What is wrong with `name:hash`, naming the user and never the hash; null when nothing is. */
export function usersProblem(line: string): string | null {
  const colon = line.indexOf(':');
  if (line.length > maxLine) return 'expected name:hash, this is longer than 1024 characters';
  if (colon < 1) return 'expected name:hash, as htpasswd writes it';
  const name = line.slice(0, colon);
  const hash = line.slice(colon + 1).trim();
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(name)) return 'expected a name without control characters';
  const bcrypt = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash);
  if (bcrypt !== null) {
    const cost = Number(bcrypt[1]);
    if (cost >= 4 && cost <= maxCost) return null;
    return `expected a bcrypt cost from 4 to ${maxCost} for the user ${quote(name)}, it is ${cost}`;
  }
  if (/^\$apr1\$[^$]{0,8}\$[./A-Za-z0-9]{22}$/.test(hash)) return null;
  if (/^\{SHA\}[A-Za-z0-9+/]{27}=$/.test(hash)) return null;
  const hint = hash.startsWith('$$')
    ? ': each dollar sign stands twice, as only compose files need it'
    : ', as htpasswd -B writes it';
  return `expected a hash of bcrypt, apr1 or {SHA} for the user ${quote(name)}${hint}`;
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}
