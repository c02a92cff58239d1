// The certificate all peers show where a site is served by HTTPS.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Pair {
  /** PEM, both. */
  readonly cert: string;
  readonly key: string;
}

/** ECDHE with AEAD, as OpenSSL names them: what every peer is told for TLS 1.2. */
export const cipherSuites =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384';

let made: Pair | null = null;

/** P-256, for `bench`, one for the whole run. Throws where there is no openssl. */
export function certificate(): Pair {
  made ??= make();
  return made;
}

function make(): Pair {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  try {
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
    const name = ['-subj', '/CN=bench', '-addext', 'subjectAltName=DNS:bench,IP:127.0.0.1'];
    const files = ['-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', ...kind, ...name, ...files], { stdio: 'pipe' });
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
