// What a handshake comes to, in words: side of the port, options and certificate.

import { wildcardAbove } from '../../tls/wildcard.ts';
import type { Facts, Shown } from './facts.ts';

/** Null: the entry point serves that side, or does not say. */
export function otherSide(entryPoint: Shown, isTls: boolean): string | null {
  const { side } = entryPoint;
  if (isTls && side === 'cleartext')
    return `no handshake: entry point ${entryPoint.name} serves cleartext only; a router with \`tls\` that names it in \`entryPoints\` changes that`;
  if (!isTls && side === 'tls')
    return `no answer: entry point ${entryPoint.name} serves TLS only; ask https://`;
  return null;
}

export function handshakeLines({ certificates }: Facts, entryPoint: Shown, host: string): string[] {
  return [
    `handshake:   server name ${host}, engine ${word(entryPoint['engine']) || 'unknown'}, options ${optionsFor(entryPoint, host)}`,
    `certificate: ${certificateFor(certificates, host)}`,
  ];
}

function optionsFor(entryPoint: Shown, host: string): string {
  const hosts = Array.isArray(entryPoint['tlsHosts']) ? (entryPoint['tlsHosts'] as readonly Shown[]) : [];
  const found =
    hosts.find((one) => one['host'] === host) ?? hosts.find((one) => one['host'] === wildcardAbove(host));
  return word(found?.['options']) || 'default';
}

function certificateFor(certificates: readonly Shown[], host: string): string {
  const served = certificates.filter(({ source }) => source !== 'default');
  const of = (name: string | null): Shown | undefined =>
    served
      .filter(({ names }) => Array.isArray(names) && names.includes(name))
      .toSorted((a, b) => (word(a['notAfter']) < word(b['notAfter']) ? 1 : -1))[0];
  const found = of(host) ?? of(wildcardAbove(host));
  if (found !== undefined) return described(found);
  const fallback = certificates.find(({ source }) => source === 'default');
  return fallback === undefined
    ? 'none for this name: one the gateway has made itself, which no client trusts, or one by ACME'
    : `none for this name; the default one: ${described(fallback)}`;
}

/** Names of one certificate in a line. */
const maxNames = 5;

function described({ name, names, notAfter, status, source }: Shown): string {
  const all = Array.isArray(names) ? names.map(word) : [];
  const shown = `${all.slice(0, maxNames).join(', ')}${all.length > maxNames ? ', …' : ''}`;
  const ends = `${status === 'expired' ? 'has run out on' : 'until'} ${word(notAfter).slice(0, 10)}`;
  return `${shown} (${word(source)}, ${ends}, SHA-256 ${name.slice(0, 12)}…)`;
}

function word(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
