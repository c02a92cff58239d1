// Authorities and certificates for tests, made by openssl.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Issued {
  /** PEM, the leaf and then what is above it but the root. */
  readonly cert: string;
  readonly key: string;
}

export interface IssueOptions {
  /** Days from now; -1 is expired since yesterday. */
  readonly days?: number;
  readonly rsa?: boolean;
  /** For clients: extended key usage clientAuth. */
  readonly client?: boolean;
  readonly subject?: string;
}

export interface Authority {
  /** PEM. */
  readonly root: string;
  /** For DNS names and IP addresses; the first is the common name. */
  issue(names: readonly string[], options?: IssueOptions): Issued;
  close(): void;
}

/** Files lie in a folder of its own until `close`. */
export function makeAuthority(name = 'Test Root'): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-pki-'));
  const at = (file: string): string => join(folder, file);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const p256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...p256,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.crt'),
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
  );
  let serial = 0;
  return {
    root: readFileSync(at('ca.crt'), 'utf8'),
    issue(names, { days = 30, rsa = false, client = false, subject = `/CN=${names[0]}` } = {}) {
      serial += 1;
      const [key, csr, cert, extensions] = ['key', 'csr', 'crt', 'ext'].map((end) =>
        at(`${serial}.${end}`),
      ) as [string, string, string, string];
      const algorithm = rsa ? ['-newkey', 'rsa:2048', '-nodes'] : p256;
      openssl('req', '-new', ...algorithm, '-keyout', key, '-out', csr, '-subj', subject);
      const alternatives = names.map((one) => `${/^[\d.]+$|:/.test(one) ? 'IP' : 'DNS'}:${one}`).join(',');
      const usage = client ? 'clientAuth' : 'serverAuth';
      writeFileSync(extensions, `subjectAltName=${alternatives}\nextendedKeyUsage=${usage}\n`);
      const from = ['-in', csr, '-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial'];
      openssl('x509', '-req', ...from, '-out', cert, '-days', String(days), '-extfile', extensions);
      return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
