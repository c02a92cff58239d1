// Users as htpasswd writes them: `name:hash`, with bcrypt, Apache's MD5 or SHA-1.

import { toBytes } from '../header-text.ts';
import type { UserFormat } from '../user-auth.ts';

/** Characters of one line. */
const maxLine = 1_024;
/** Above this a single login takes more than two seconds of a core. */
const maxCost = 15;

/** Hash by name. */
export const htpasswd: UserFormat = {
  problemOf: usersProblem,
  read(line) {
    const colon = line.indexOf(':');
    return [toBytes(line.slice(0, colon)), line.slice(colon + 1).trim()];
  },
};

function usersProblem(line: string): string | null {
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
