// rootCAs and certificates of serversTransports: a file's path, or the PEM text itself.

import { existsSync } from 'node:fs';
import type { DynamicConfig, Written } from '../../config/dynamic/provider-config.ts';
import type { TransportConfig } from '../../config/dynamic/schema.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { clientPairProblem, isAuthorities } from '../../tls/client-pems.ts';
import { readText } from '../../util/read-text.ts';

type ClientPair = TransportConfig['certificates'][number];

/** The same objects with PEM texts in them; a transport that lacks one is broken. */
export function readPems(config: DynamicConfig): { config: DynamicConfig; diagnostics: Diagnostic[] } {
  if (config.transports.size === 0) return { config, diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const transports = new Map<string, Written<TransportConfig>>();
  for (const [name, written] of config.transports) {
    const problems: string[] = [];
    const { value } = written;
    const rootCAs = value.rootCAs.map((item) => rootsOf(item, problems));
    const certificates = value.certificates.map((pair) => pairOf(pair, problems));
    for (const problem of problems) {
      const message = `serversTransport ${name}: ${problem}`;
      diagnostics.push({ severity: 'error', code: 'config.pem', message, where: written.where });
    }
    const errors = [...written.errors, ...problems];
    transports.set(name, { ...written, value: { ...value, rootCAs, certificates }, errors });
  }
  return { config: { ...config, transports }, diagnostics };
}

/** The PEM text of `rootCAs`, or an empty one and what is wrong in `problems`. */
export function rootsOf(value: string, problems: string[]): string {
  const text = textOf(value, 'rootCAs', problems);
  // OpenSSL passes over what it cannot read: the server would be refused, and nothing would say why.
  if (text !== '' && !isAuthorities(text)) {
    problems.push(`rootCAs: ${shownValue(value)} holds no certificates that can be read`);
    return '';
  }
  return text;
}

function pairOf(written: ClientPair, problems: string[]): ClientPair {
  const certFile = textOf(written.certFile, 'certFile', problems);
  const keyFile = textOf(written.keyFile, 'keyFile', problems);
  const problem = certFile === '' || keyFile === '' ? null : clientPairProblem(certFile, keyFile);
  if (problem !== null) problems.push(`certFile: ${shownValue(written.certFile)}: ${problem}`);
  return { certFile, keyFile };
}

function textOf(value: string, key: string, problems: string[]): string {
  const pem = readPem(value);
  if (pem.ok) return pem.text;
  problems.push(`${key}: ${pem.problem}`);
  return '';
}

export type Pem =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: string };

/** A relative path starts at the working directory. The value is never part of `problem` unless it is a path. */
export function readPem(value: string): Pem {
  if (value.includes('-----BEGIN')) return { ok: true, text: value };
  const shown = shownValue(value);
  if (value === '' || !existsSync(value))
    return { ok: false, problem: `${shown} is neither a file nor a PEM text` };
  try {
    const text = readText(value);
    return text.includes('-----BEGIN')
      ? { ok: true, text }
      : { ok: false, problem: `${shown} holds no PEM text` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { ok: false, problem: `${shown} cannot be read: ${code ?? message}` };
  }
}

/** A key without its first line must not stand in a message: base64 holds no dot, and DER begins with `M`. */
function shownValue(value: string): string {
  const isPath = value.startsWith('/') || value.includes('.');
  return isPath && value.length <= 200 && !value.includes('\n') ? value : 'the value';
}
