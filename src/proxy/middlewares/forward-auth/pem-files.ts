// forwardAuth.tls as workers get it: PEM texts in place of the files that were named, checked by the primary.

import { clientPairProblem, isAuthorities } from '../../../tls/client-pems.ts';
import type { ForwardAuthOptions } from './options.ts';

type AuthTls = NonNullable<ForwardAuthOptions['tls']>;
type Part = 'ca' | 'cert' | 'key';

/** Characters of a path. */
const maxPath = 4096;

/** Throws `Error` for a file that cannot be read and for texts that no connection can be made with. */
export function withPemFiles(tls: AuthTls, readFile: (path: string) => string): AuthTls {
  const pem = (part: Part): string | undefined => pemOf(tls[part], part, readFile);
  const filled = { ...tls, ca: pem('ca'), cert: pem('cert'), key: pem('key') };
  const { ca = '', cert = '', key = '' } = filled;
  if (ca !== '' && !isAuthorities(ca))
    throw new Error(`${placeOf(tls, 'ca')}: there are no certificates that can be read`);
  if ((cert === '') !== (key === '')) throw new Error('tls.cert and tls.key are only of use together');
  const problem = cert === '' ? null : clientPairProblem(cert, key);
  if (problem !== null) throw new Error(`${placeOf(tls, 'cert')}: ${problem}`);
  return filled;
}

function pemOf(
  written: string | undefined,
  part: Part,
  readFile: (path: string) => string,
): string | undefined {
  if (written === undefined || written === '' || isPem(written)) return written;
  if (written.includes('\n') || written.length > maxPath || (part === 'key' && !isLikePath(written)))
    throw new Error(`tls.${part} is neither a PEM text nor a path`);
  const text = readFile(written);
  // An empty file must not look like a part that was left out.
  if (!isPem(text)) throw new Error(`tls.${part}: ${written.slice(0, 200)}: the file holds no PEM text`);
  return text;
}

function isPem(written: string): boolean {
  return written.includes('-----BEGIN');
}

/** A key without its first line would stand in messages as a path: base64 holds no dot, and DER begins with `M`. */
function isLikePath(written: string): boolean {
  return written.startsWith('/') || written.includes('.');
}

/** Nothing of a PEM text, which may be a key. */
function placeOf(tls: AuthTls, part: Part): string {
  const written = tls[part] ?? '';
  return isPem(written) ? `tls.${part}` : `tls.${part}: ${written.slice(0, 200)}`;
}
