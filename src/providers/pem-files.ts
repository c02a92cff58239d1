// Certificates, their keys and authorities that `tls` names: a file's path, or the PEM text itself.

import type { OptionsConfig, StoreConfig } from '../config/dynamic/schema.ts';
import type { TlsConfig, Written } from '../config/dynamic/provider-config.ts';
import { readPair } from '../config/dynamic/read-pair.ts';
import type { Diagnostic, Place } from '../model/diagnostic.ts';
import type { CertificateSpec } from '../model/tls.ts';
import { isAuthorities } from '../tls/client-pems.ts';

export interface PemSource {
  /** A file's text. Throws `Error` with a sentence that names the file. */
  readonly read: (path: string) => string;
  /** Pairs as they were when they last fitted, by what was written; only what is used stays in `used`. */
  readonly good: ReadonlyMap<string, Pair>;
  readonly used: Map<string, Pair>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** The same with PEM texts in place of paths; what cannot be read is left out, or broken where that would open something. */
export function fillTls(tls: TlsConfig, source: PemSource, diagnostics: Diagnostic[]): TlsConfig {
  const { certificates, stores, options } = tls;
  if (certificates.length === 0 && stores.size === 0 && options.size === 0) return tls;
  return {
    certificates: certificates.flatMap((written) => {
      const { certFile = '', keyFile = '' } = written.value;
      const pair = fillPair({ certFile, keyFile, where: written.where }, source, diagnostics);
      if (pair === null) return [];
      return [{ ...written, value: { ...written.value, certFile: pair.cert, keyFile: pair.key } }];
    }),
    stores: mapEach(stores, (written) => fillStore(written, source, diagnostics)),
    options: mapEach(options, (written, name) => fillOptions(name, written, source, diagnostics)),
  };
}

function mapEach<T>(map: ReadonlyMap<string, T>, change: (value: T, name: string) => T): Map<string, T> {
  return new Map([...map].map(([name, value]) => [name, change(value, name)]));
}

interface WrittenPair {
  readonly certFile: string;
  readonly keyFile: string;
  readonly where: Place;
}

/** Null when there is nothing to serve. A pair that no longer fits is one that is being replaced: the last that did stays. */
function fillPair(
  { certFile, keyFile, where }: WrittenPair,
  source: PemSource,
  diagnostics: Diagnostic[],
): Pair | null {
  const written = `${certFile}\0${keyFile}`;
  const found = readBoth(certFile, keyFile, source);
  if (typeof found !== 'string') {
    source.used.set(written, found.pair);
    const message = outOfDate(found.certificate, source.now);
    if (message !== null)
      diagnostics.push({
        severity: 'warning',
        code: 'config.certificate',
        message: `${shownPath(certFile)}${message}`,
        where,
      });
    return found.pair;
  }
  const before = source.good.get(written) ?? null;
  if (before !== null) source.used.set(written, before);
  diagnostics.push({
    severity: before === null ? 'error' : 'warning',
    code: 'config.certificate',
    message: before === null ? found : `${found}; the last good certificate stays in use`,
    where,
  });
  return before;
}

function readBoth(
  certFile: string,
  keyFile: string,
  { read }: PemSource,
): { readonly pair: Pair; readonly certificate: CertificateSpec } | string {
  const cert = textOf(certFile, read);
  if (!cert.ok) return cert.problem;
  const key = textOf(keyFile, read);
  if (!key.ok) return key.problem;
  const checked = readPair(cert.text, key.text);
  if (!checked.ok) return `${shownPath(certFile)}${checked.problem}`;
  return { pair: { cert: cert.text, key: key.text }, certificate: checked.certificate };
}

function outOfDate({ notBefore, notAfter, names }: CertificateSpec, now: number): string | null {
  const who = names.slice(0, 3).join(', ');
  const day = (time: number): string => new Date(time).toISOString().slice(0, 10);
  if (notAfter < now) return `the certificate for ${who} has run out on ${day(notAfter)}`;
  return notBefore > now ? `the certificate for ${who} is not valid before ${day(notBefore)}` : null;
}

function fillStore(
  written: Written<StoreConfig>,
  source: PemSource,
  diagnostics: Diagnostic[],
): Written<StoreConfig> {
  const own = written.value.defaultCertificate;
  if (own === undefined) return written;
  const { certFile = '', keyFile = '' } = own;
  const where = written.keys?.get('defaultcertificate') ?? written.where;
  const pair = fillPair({ certFile, keyFile, where }, source, diagnostics);
  const filled = pair === null ? undefined : { certFile: pair.cert, keyFile: pair.key };
  return { ...written, value: { ...written.value, defaultCertificate: filled } };
}

/** Options whose authorities cannot be read are broken: without them anybody would get in, or nobody. */
function fillOptions(
  name: string,
  written: Written<OptionsConfig>,
  source: PemSource,
  diagnostics: Diagnostic[],
): Written<OptionsConfig> {
  const { clientAuth } = written.value;
  if (clientAuth === undefined || clientAuth.caFiles.length === 0) return written;
  const where = written.keys?.get('clientauth') ?? written.where;
  const errors = [...written.errors];
  const caFiles = clientAuth.caFiles.map((file) => {
    const key = `${name}\0${where.source}\0${file}`;
    const problem = (text: string): string => {
      const before = source.good.get(key);
      diagnostics.push({
        severity: before === undefined ? 'error' : 'warning',
        code: 'config.certificate',
        message: `TLS options ${name}: ${text}${before === undefined ? '' : '; the last good authorities stay in use'}`,
        where,
      });
      if (before === undefined) errors.push(text);
      else source.used.set(key, before);
      return before?.cert ?? '';
    };
    const found = textOf(file, source.read);
    if (!found.ok) return problem(found.problem);
    if (!isAuthorities(found.text))
      return problem(`${shownPath(file)}there are no certificates that can be read`);
    source.used.set(key, { cert: found.text, key: '' });
    return found.text;
  });
  return { ...written, value: { ...written.value, clientAuth: { ...clientAuth, caFiles } }, errors };
}

type Text = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

function textOf(value: string, read: (path: string) => string): Text {
  if (value.includes('-----BEGIN')) return { ok: true, text: value };
  if (value === '' || value.includes('\n') || value.length > 4096)
    return { ok: false, problem: 'the value is neither a path nor a PEM text' };
  try {
    const text = read(value);
    if (text.trim() === '') return { ok: false, problem: `${shownPath(value)}the file is empty` };
    return { ok: true, text };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  }
}

/** Nothing of a PEM text, which may be a key. */
function shownPath(value: string): string {
  return value.includes('-----BEGIN') ? '' : `${value.slice(0, 200)}: `;
}
