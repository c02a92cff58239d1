// Probe: certificates of files and of `acme.json`: who may read them, and when they end.

import { X509Certificate } from 'node:crypto';
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
import type { Finding } from './finding.ts';
import { pathIn, type Scene } from './scene.ts';

const day = 24 * 3_600_000;
/** Milliseconds left of one that nobody renews. */
const soon = 30 * day;
/** Of its life, left of one that should have been renewed long ago. */
const late = 1 / 6;
/** Bytes. */
const maxFile = 64 * 1024 * 1024;

export function probeCertificates(scene: Scene): Finding[] {
  const { resolved, snapshot } = scene;
  const { certificates = [], defaultCertificate = null } = snapshot?.tls ?? {};
  const files = [...certificates, ...(defaultCertificate === null ? [] : [defaultCertificate])];
  const ends = files.map(({ names, notAfter }) => ({
    name: names[0] ?? '',
    notAfter,
    isSoon: notAfter - Date.now() < soon,
  }));
  const findings = judge(ends, 'of files', 'replace the file: it is read at once');
  // With Redis they lie there.
  const isInFiles = resolved !== null && resolved.redis === null;
  const stores = new Map(isInFiles ? resolved.resolvers.map((one) => [one.storage, one.name]) : []);
  for (const storage of stores.keys()) {
    const names = resolved?.resolvers.filter((one) => one.storage === storage).map(({ name }) => name);
    findings.push(...probeStore(scene, storage, names ?? []));
  }
  return findings;
}

interface End {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  readonly isSoon: boolean;
}

function judge(ends: readonly End[], whose: string, fix: string): Finding[] {
  if (ends.length === 0) return [];
  const now = Date.now();
  const expired = ends.filter(({ notAfter }) => notAfter < now);
  const ending = ends.filter(({ notAfter, isSoon }) => isSoon && notAfter >= now);
  const findings: Finding[] = [];
  if (expired.length > 0)
    findings.push({ level: 'error', says: `${whose}: ${expired.length} expired: ${named(expired)}`, fix });
  if (ending.length > 0)
    findings.push({ level: 'warning', says: `${whose}: ${ending.length} end soon: ${named(ending)}`, fix });
  return findings.length > 0 ? findings : [{ level: 'ok', says: `${ends.length} ${whose}, none ends soon` }];
}

function named(ends: readonly End[]): string {
  const texts = ends
    .toSorted((a, b) => a.notAfter - b.notAfter)
    .slice(0, 3)
    .map(({ name, notAfter }) => `${name} (${new Date(notAfter).toISOString().slice(0, 10)})`);
  return texts.join(', ') + (ends.length > 3 ? ', …' : '');
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
    const fix = 'GET /api/portcullis/acme says why it is not renewed';
    const judged = judge(ends, `in ${written}`, fix);
    return judged.length > 0 ? judged : [{ level: 'ok', says: `${written} is readable and holds none yet` }];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const says = `${written} cannot be read: ${code ?? message}`;
    return [
      { level: 'error', says, fix: 'put a copy of it aside; without it certificates are ordered anew' },
    ];
  }
}

function endOf(main: string, pem: string): End {
  const { validFromDate, validToDate } = new X509Certificate(pem);
  const notAfter = validToDate.getTime();
  return {
    name: main,
    notAfter,
    isSoon: notAfter - Date.now() < late * (notAfter - validFromDate.getTime()),
  };
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
