// rootCAs and certificates of serversTransports: a file's path, or the PEM text itself.

import { existsSync } from 'node:fs';
import type { DynamicConfig, Written } from '../../config/dynamic/provider-config.ts';
import type { TransportConfig } from '../../config/dynamic/schema.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { readText } from '../../util/read-text.ts';

/** The same objects with PEM texts in them; a transport that lacks one is broken. */
export function readPems(config: DynamicConfig): { config: DynamicConfig; diagnostics: Diagnostic[] } {
  if (config.transports.size === 0) return { config, diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const transports = new Map<string, Written<TransportConfig>>();
  for (const [name, written] of config.transports) {
    const problems: string[] = [];
    const read = (value: string, key: string) => {
      const pem = readPem(value);
      if (pem.ok) return pem.text;
      problems.push(`${key}: ${pem.problem}`);
      return '';
    };
    const { value } = written;
    const rootCAs = value.rootCAs.map((item) => read(item, 'rootCAs'));
    const certificates = value.certificates.map((pair) => ({
      certFile: read(pair.certFile, 'certFile'),
      keyFile: read(pair.keyFile, 'keyFile'),
    }));
    for (const problem of problems) {
      const message = `serversTransport ${name}: ${problem}`;
      diagnostics.push({ severity: 'error', code: 'config.pem', message, where: written.where });
    }
    const errors = [...written.errors, ...problems];
    transports.set(name, { ...written, value: { ...value, rootCAs, certificates }, errors });
  }
  return { config: { ...config, transports }, diagnostics };
}

export type Pem =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: string };

/** A relative path starts at the working directory. The value is never part of `problem` unless it is a path. */
export function readPem(value: string): Pem {
  if (value.includes('-----BEGIN')) return { ok: true, text: value };
  const shown = value.length > 200 || value.includes('\n') ? 'the value' : value;
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
