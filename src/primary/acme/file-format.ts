// The text of `acme.json` ↔ accounts and certificates. What is not ours stays as it was written.

import { createPrivateKey } from 'node:crypto';
import type { StoredAccount, StoredCertificate } from './storage.ts';

/** The whole file: resolver names to their parts. */
export type AcmeFile = Readonly<Record<string, unknown>>;

type Part = Readonly<Record<string, unknown>>;

/** Throws `Error` with a sentence; an empty text is a file without resolvers. */
export function parseFile(text: string): AcmeFile {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message would show a piece of the file: it holds keys.
    throw new Error('it is no valid JSON');
  }
  if (!isPart(value)) throw new Error('it is no JSON object of resolver names');
  for (const [name, part] of Object.entries(value)) {
    if (part !== null && !isPart(part))
      throw new Error(`what it says of \`${name.slice(0, 80)}\` is no object`);
  }
  if ('Account' in value && 'PrivateKey' in ((value['Account'] ?? {}) as object)) {
    throw new Error('it is of version 1 of the format, without resolver names');
  }
  return value;
}

export function printFile(file: AcmeFile): string {
  return JSON.stringify(file, null, 2);
}

/** Null where there is none, or none that could be used. */
export function accountIn(file: AcmeFile, resolver: string): StoredAccount | null {
  const account = partOf(partOf(file, resolver), 'Account');
  const { Email, PrivateKey } = account;
  const registration = partOf(account, 'Registration');
  if (typeof PrivateKey !== 'string' || typeof registration['uri'] !== 'string') return null;
  try {
    const der = Buffer.from(PrivateKey, 'base64');
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs1' });
    return {
      email: typeof Email === 'string' ? Email : '',
      uri: registration['uri'],
      registration: registration['body'] ?? null,
      key: key.export({ format: 'pem', type: 'pkcs1' }) as string,
    };
  } catch {
    return null;
  }
}

/** Those with a certificate and a key. */
export function certificatesIn(file: AcmeFile, resolver: string): StoredCertificate[] {
  return entriesOf(file, resolver).flatMap((entry) => {
    const { certificate, key } = entry;
    if (typeof certificate !== 'string' || typeof key !== 'string' || certificate === '' || key === '')
      return [];
    return [{ ...domainOf(entry), cert: textOf(certificate), key: textOf(key) }];
  });
}

export function withAccount(file: AcmeFile, resolver: string, account: StoredAccount): AcmeFile {
  const der = createPrivateKey(account.key).export({ format: 'der', type: 'pkcs1' });
  const Account = {
    Email: account.email,
    Registration: { body: account.registration, uri: account.uri },
    PrivateKey: der.toString('base64'),
    KeyType: String(createPrivateKey(account.key).asymmetricKeyDetails?.modulusLength ?? ''),
  };
  return { ...file, [resolver]: { Certificates: null, ...partOf(file, resolver), Account } };
}

/** In the place of the one with the same names, else at the end. */
export function withCertificate(file: AcmeFile, resolver: string, certificate: StoredCertificate): AcmeFile {
  const { main, sans, cert, key } = certificate;
  const entry = {
    domain: sans.length === 0 ? { main } : { main, sans },
    certificate: Buffer.from(cert).toString('base64'),
    key: Buffer.from(key).toString('base64'),
    Store: 'default',
  };
  const entries = [...entriesOf(file, resolver)];
  const at = entries.findIndex((other) => sameDomain(domainOf(other), certificate));
  if (at === -1) entries.push(entry);
  else entries[at] = { ...entries[at], ...entry };
  return { ...file, [resolver]: { Account: null, ...partOf(file, resolver), Certificates: entries } };
}

function entriesOf(file: AcmeFile, resolver: string): readonly Part[] {
  const { Certificates } = partOf(file, resolver);
  return Array.isArray(Certificates) ? Certificates.filter(isPart) : [];
}

function domainOf(entry: Part): { main: string; sans: string[] } {
  const { main, sans } = partOf(entry, 'domain');
  return {
    main: typeof main === 'string' ? main : '',
    sans: Array.isArray(sans) ? sans.filter((one) => typeof one === 'string') : [],
  };
}

type Domain = Pick<StoredCertificate, 'main' | 'sans'>;

function sameDomain(a: Domain, b: Domain): boolean {
  return a.main === b.main && [...a.sans].sort().join() === [...b.sans].sort().join();
}

function textOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function partOf(part: Part, name: string): Part {
  const value = Object.hasOwn(part, name) ? part[name] : null;
  return isPart(value) ? value : {};
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
