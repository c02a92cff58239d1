// Account, certificates, attempts and challenges as texts in Redis, and back: what cannot be read is left out.

import { hash } from 'node:crypto';
import type { Challenge } from '../../model/acme.ts';
import type { Attempt, StoredAccount, StoredCertificate } from './storage.ts';

/** Bytes of one entry. */
export const maxEntry: number = 64 * 1024;

/** Characters: a token of 128 at most, a dot, and 43 of a thumbprint; every worker gets it. */
export const maxKeyAuthorization = 512;

/** Throws when it is larger than 64 KiB. */
export function entryText(value: unknown, what: string): string {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > maxEntry) throw new Error(`${what} is larger than 64 KiB`);
  return text;
}

/** One and the same for the same main name and SANs. */
export function certificateField({ main, sans }: StoredCertificate): string {
  return short([main, ...sans].join(','));
}

/** Itself, or its hash when it is longer than 200 characters. */
export function short(text: string): string {
  return text.length <= 200 ? text : `sha256:${hash('sha256', text)}`;
}

/** The same text for the same challenge, however its object was made. */
export function challengeText(challenge: Challenge): string {
  const { kind, domain, keyAuthorization } = challenge;
  const token = kind === 'http-01' ? challenge.token : '';
  return entryText({ kind, domain, token, keyAuthorization }, 'a challenge');
}

export function readAccount(text: string): StoredAccount | null {
  const value = fieldsOf(text);
  if (value === null || !isText(value['uri']) || !isText(value['key']) || !isText(value['email']))
    return null;
  return {
    email: value['email'],
    uri: value['uri'],
    registration: value['registration'] ?? null,
    key: value['key'],
  };
}

export function readCertificate(text: string): StoredCertificate | null {
  const value = fieldsOf(text);
  if (value === null) return null;
  const { main, sans, cert, key } = value;
  if (!isText(main) || !isText(cert) || !isText(key) || !Array.isArray(sans) || !sans.every(isText))
    return null;
  return { main, sans, cert, key };
}

export function readAttempt(text: string): Attempt | null {
  const value = fieldsOf(text);
  if (value === null) return null;
  const { names, failures, nextTry, lastError } = value;
  if (!isText(names) || !isNumber(failures) || !isNumber(nextTry) || !isText(lastError)) return null;
  return { names, failures, nextTry, lastError: lastError.slice(0, 1000) };
}

export function readChallenge(text: string): Challenge | null {
  const value = fieldsOf(text);
  if (value === null) return null;
  const { kind, domain, token, keyAuthorization } = value;
  if (!isText(domain) || !isText(keyAuthorization)) return null;
  if (domain.length > 253 || keyAuthorization.length > maxKeyAuthorization) return null;
  if (kind === 'tls-alpn-01') return { kind, domain, keyAuthorization };
  return kind === 'http-01' && isText(token) ? { kind, domain, token, keyAuthorization } : null;
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> | null {
  if (text.length > maxEntry) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
