// Probe: certificates of files, of `acme.json` and in Redis: who may read them, and when they end.

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { certificatesIn, parseFile } from '../../primary/acme/file-format.ts';
import { readAtOnce } from '../../primary/acme/shared-file.ts';
import { endOf, judge, whyNotRenewed } from './certificate-ends.ts';
import { probeRedisCertificates } from './certificates-redis.ts';
import type { Finding } from './finding.ts';
import { pathIn, type Scene } from './scene.ts';

const day = 24 * 3_600_000;
/** Milliseconds left of one that nobody renews. */
const soon = 30 * day;
/** Bytes. */
const maxFile = 64 * 1024 * 1024;

export async function probeCertificates(scene: Scene, signal: AbortSignal): Promise<Finding[]> {
  const { resolved, snapshot } = scene;
  const { certificates = [], defaultCertificate = null } = snapshot?.tls ?? {};
  const files = [...certificates, ...(defaultCertificate === null ? [] : [defaultCertificate])];
  const ends = files.map(({ names, notAfter }) => ({
    name: names[0] ?? '',
    notAfter,
    isSoon: notAfter - Date.now() < soon,
  }));
  const findings = judge(ends, 'of files', 'replace the file: it is read at once');
  if (resolved === null) return findings;
  const { redis, resolvers } = resolved;
  if (redis !== null) {
    const names = resolvers.map(({ name }) => name);
    return [...findings, ...(await probeRedisCertificates(redis, names, signal))];
  }
  for (const storage of new Set(resolvers.map((one) => one.storage))) {
    const names = resolvers.filter((one) => one.storage === storage).map(({ name }) => name);
    findings.push(...probeStore(scene, storage, names));
  }
  return findings;
}

function probeStore(scene: Scene, written: string, resolvers: readonly string[]): Finding[] {
  const path = pathIn(scene, written);
  const folder = dirname(path);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!existsSync(folder)) {
    const says = `${written}: its folder is not there: no certificate can be kept`;
    return [{ level: 'error', says, fix: `\`mkdir -p ${dirname(written)}\`, as the user of the gateway` }];
  }
  if (!mayWrite(folder)) {
    const says = `${written}: its folder cannot be written by this user: certificates would be lost with the process`;
    return [
      {
        level: 'error',
        says,
        fix: `\`chown\` ${dirname(written)} to the user of the gateway, or mount it writable`,
      },
    ];
  }
  if (found === undefined) return [{ level: 'ok', says: `${written} will be made` }];
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8);
    const says = `${written} has the mode ${mode}: it holds private keys, and is not read as long as others may`;
    return [{ level: 'error', says, fix: `\`chmod 600 ${written}\`` }];
  }
  try {
    const file = parseFile(readBounded(path));
    const ends = resolvers.flatMap((resolver) =>
      certificatesIn(file, resolver).map(({ main, cert }) => endOf(main, cert)),
    );
    const judged = judge(ends, `in ${written}`, whyNotRenewed);
    return judged.length > 0 ? judged : [{ level: 'ok', says: `${written} is readable and holds none yet` }];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const says = `${written} cannot be read: ${code ?? message}`;
    return [
      { level: 'error', says, fix: 'put a copy of it aside; without it certificates are ordered anew' },
    ];
  }
}

function readBounded(path: string): string {
  const descriptor = openSync(path, readAtOnce);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new Error('it is no file');
    if (stat.size > maxFile) throw new Error('it is too large');
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
