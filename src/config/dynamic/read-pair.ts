// A certificate and its key, read and remembered: reading thousands again because one of them changed takes seconds.

import { type ReadCertificate, readCertificate } from '../../tls/certificate.ts';

/** Pairs remembered in each of two generations; about 5 KB each. */
const maxRemembered = 5_000;

let recent = new Map<string, ReadCertificate>();
let older: ReadonlyMap<string, ReadCertificate> = new Map();

/** Never throws. PEM texts, both. */
export function readPair(cert: string, key: string): ReadCertificate {
  const both = `${cert}\0${key}`;
  let known = recent.get(both);
  if (known !== undefined) return known;
  known = older.get(both) ?? readCertificate(cert, key);
  if (recent.size >= maxRemembered) {
    older = recent;
    recent = new Map();
  }
  recent.set(both, known);
  return known;
}
