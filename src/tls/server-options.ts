// TLS towards clients, from the words of the model to Node's.

import { constants, hash, hkdfSync } from 'node:crypto';
import type { SecureVersion } from 'node:tls';
import type { CertificateSpec, ClientAuthType, TlsOptionsSpec } from '../model/tls.ts';

export interface ServerTlsOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca: string[];
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  readonly ciphers: string;
  readonly honorCipherOrder: boolean;
  readonly ecdhCurve?: string;
  readonly secureOptions: number;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
  readonly ALPNProtocols: string[];
  readonly sessionIdContext: string;
  /** Seconds. */
  readonly sessionTimeout: number;
}

/** Forward secrecy and authenticated encryption throughout; the order is for CPUs that know AES, as most do. */
const modernCiphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** What TLS 1.0 and 1.1 have; only where the operator has asked for these. */
const oldCiphers = [
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-SHA',
  'AES256-SHA',
];

/** Seconds a session can be resumed; a client certificate that is revoked or runs out is believed that long. */
const sessionTimeout = 300;

/** Milliseconds after which tickets are sealed with other keys. */
export const ticketKeyLife = 12 * 3600 * 1000;

/** What `tls.createServer` takes. Throws nothing: what OpenSSL makes of it shows when it is used. */
export function serverTlsOptions(
  options: TlsOptionsSpec,
  certificate: Pick<CertificateSpec, 'cert' | 'key'>,
): ServerTlsOptions {
  const { clientAuth, curvePreferences, minVersion } = options;
  const type = clientAuth?.type ?? 'NoClientCert';
  return {
    cert: certificate.cert,
    key: certificate.key,
    // Absent it would be the public authorities: nobody's clients, and megabytes for each certificate.
    ca: type === 'NoClientCert' ? [] : [...(clientAuth?.cas ?? [])],
    minVersion,
    maxVersion: options.maxVersion,
    ciphers: ciphersOf(options),
    honorCipherOrder: true,
    ...(curvePreferences === undefined ? {} : { ecdhCurve: curvePreferences.join(':') }),
    secureOptions: secureOptionsOf(options),
    requestCert: type !== 'NoClientCert',
    // The others are judged by `admits`: to Node a certificate that is not verified and none at all are one.
    rejectUnauthorized: type === 'RequireAndVerifyClientCert',
    ALPNProtocols: [...options.alpnProtocols],
    sessionIdContext: fingerprintOf(options).slice(0, 32),
    sessionTimeout,
  };
}

/** Whether only verified certificates mean something. */
export function verifiesClients(type: ClientAuthType): boolean {
  return type === 'VerifyClientCertIfGiven' || type === 'RequireAndVerifyClientCert';
}

/** Why nobody may be served with these options; null when they work. */
export function problemOf({ errors, clientAuth }: TlsOptionsSpec): string | null {
  if (errors[0] !== undefined) return errors[0];
  // Without authorities Node verifies with those it has for servers of the web.
  if (clientAuth !== null && verifiesClients(clientAuth.type) && clientAuth.cas.length === 0)
    return `clientAuth ${clientAuth.type} needs authorities`;
  return null;
}

/**
 * Keys that session tickets are sealed with, 48 bytes: the same in all workers of one boot, others for other
 * options, so that nobody resumes under one set what was agreed under another (or before its authorities changed).
 */
export function ticketKeys(bootSecret: string, options: TlsOptionsSpec, now: number): Buffer {
  const info = `portcullis tls tickets ${Math.floor(now / ticketKeyLife)} ${fingerprintOf(options)}`;
  return Buffer.from(hkdfSync('sha256', Buffer.from(bootSecret, 'hex'), '', info, 48));
}

function ciphersOf({ cipherSuites, minVersion }: TlsOptionsSpec): string {
  const isOld = minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
  const suites = cipherSuites ?? (isOld ? [...modernCiphers, ...oldCiphers] : modernCiphers);
  // OpenSSL has TLS below 1.2 at its lowest level of security only: they sign with SHA-1.
  return isOld ? [...suites, '@SECLEVEL=0'].join(':') : suites.join(':');
}

function secureOptionsOf({ sessionTickets }: TlsOptionsSpec): number {
  const { SSL_OP_NO_RENEGOTIATION, SSL_OP_NO_TICKET, SSL_OP_NO_COMPRESSION } = constants;
  // RFC 9113 §9.2.1 forbids renegotiation; elsewhere it only costs the server.
  const always = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION;
  return sessionTickets ? always : always | SSL_OP_NO_TICKET;
}

/** Others for every change of the options, and for another name. */
function fingerprintOf(options: TlsOptionsSpec): string {
  return hash('sha256', JSON.stringify(options), 'hex');
}
