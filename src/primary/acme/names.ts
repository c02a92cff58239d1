// Names of certificates: which an authority can be asked for, and which certificate covers which.

import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { wildcardAbove } from '../../tls/wildcard.ts';

/** As many as the public authorities take. */
export const maxNames = 100;

/** Lower case, without trailing dots and repeats, as they stand in certificates; the first stays the first. */
export function normalNames(names: readonly string[]): string[] {
  const normal = names.map((name) => {
    const bare = name.toLowerCase().replace(/\.$/, '');
    const isAscii = /^[\x21-\x7e]+$/.test(bare);
    return isAscii ? bare : domainToASCII(bare) || bare;
  });
  return [...new Set(normal)];
}

/** The same for the same names in any order. */
export function keyOf(names: readonly string[]): string {
  return [...names].sort().join(',');
}

/** Why these names cannot be ordered, as a sentence; null when they can. */
export function refusal(names: readonly string[], hasDns: boolean): string | null {
  if (names.length === 0) return 'there is no name to get a certificate for';
  if (names.length > maxNames) return `one certificate can have ${maxNames} names, these are ${names.length}`;
  for (const name of names) {
    const problem = refusalOf(name, hasDns);
    if (problem !== null) return problem;
  }
  return null;
}

/** What a certificate's names say of one name: the same, or a wildcard one label above it. */
export function covers(certified: ReadonlySet<string>, name: string): boolean {
  if (certified.has(name)) return true;
  const wildcard = wildcardOf(name);
  return wildcard !== null && certified.has(wildcard);
}

/** `*.example.com` for `a.example.com`; null for a wildcard and for a name without a dot. */
export function wildcardOf(name: string): string | null {
  return name.startsWith('*') ? null : wildcardAbove(name);
}

/** For the log. */
export function namesShown(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => name.slice(0, 253));
  return names.length > 10 ? `${shown.join(', ')} and ${names.length - 10} more` : shown.join(', ');
}

function refusalOf(name: string, hasDns: boolean): string | null {
  const shown = JSON.stringify(name.slice(0, 80));
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0)
    return `${shown} is an IP address, certificates are for DNS names`;
  if (name.length > 253) return `${shown}… is longer than the 253 characters a DNS name can have`;
  const isWildcard = name.startsWith('*.');
  const labels = (isWildcard ? name.slice(2) : name).split('.');
  if (labels.at(-1) === 'localhost') return `${shown} is this machine: no authority can reach it`;
  if (!labels.every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label))) {
    return `${shown} is no DNS name of letters, digits and hyphens`;
  }
  if (/^\d+$/.test(labels.at(-1) ?? '')) return `${shown} is no DNS name: its last label is a number`;
  if (isWildcard && !hasDns) return `${shown} is a wildcard, which needs a \`dnsChallenge\``;
  return null;
}
