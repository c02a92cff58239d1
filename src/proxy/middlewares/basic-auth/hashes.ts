// The three hashes of htpasswd.

import { createHash } from 'node:crypto';
import apacheMd5Module from 'apache-md5';
import { compareSync } from 'bcryptjs';
import { timingSafeSame } from '../same-text.ts';

// CommonJS whose types promise a default export that it has not: what it exports is the function itself.
const apacheMd5 = apacheMd5Module as unknown as (password: string, salt: string) => string;

/** `password` has one char a byte. May throw when the hash cannot be read. Takes up to seconds with bcrypt. */
export function isRightPassword(password: string, hash: string): boolean {
  if (hash.startsWith('$2')) {
    const text = Buffer.from(password, 'latin1').toString('utf8');
    const isUtf8 = Buffer.from(text, 'utf8').toString('latin1') === password;
    // Compared in any case: how long it takes must not depend on the password.
    return compareSync(text, hash) && isUtf8;
  }
  if (hash.startsWith('$apr1$')) return timingSafeSame(apacheMd5(password, hash), hash);
  if (!hash.startsWith('{SHA}')) return false;
  return timingSafeSame(`{SHA}${createHash('sha1').update(password, 'latin1').digest('base64')}`, hash);
}
