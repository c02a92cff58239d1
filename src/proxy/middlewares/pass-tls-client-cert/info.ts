// What a certificate says of itself, as the text servers behind read.

import { X509Certificate } from 'node:crypto';

export interface NameOptions {
  readonly country: boolean;
  readonly province: boolean;
  readonly locality: boolean;
  readonly organization: boolean;
  readonly organizationalUnit?: boolean;
  readonly commonName: boolean;
  readonly serialNumber: boolean;
  readonly domainComponent: boolean;
}

export interface InfoOptions {
  readonly notAfter: boolean;
  readonly notBefore: boolean;
  readonly sans: boolean;
  readonly serialNumber: boolean;
  readonly subject?: NameOptions | undefined;
  readonly issuer?: NameOptions | undefined;
}

/** PEM without its first and last line and without line breaks: the base64 of the DER form. */
export function pemOf(der: Uint8Array): string {
  return Buffer.from(der.buffer, der.byteOffset, der.length).toString('base64');
}

/** `Subject="…";Issuer="…";SerialNumber="…";NB="…";NA="…";SAN="…"`. Throws `Error` when `der` is no certificate. */
export function certificateInfo(der: Uint8Array, options: InfoOptions): string {
  const certificate = new X509Certificate(der);
  const parts: string[] = [];
  const subject = nameText(certificate.subject, options.subject);
  const issuer = nameText(certificate.issuer, options.issuer);
  if (subject !== '') parts.push(`Subject="${subject}"`);
  if (issuer !== '') parts.push(`Issuer="${issuer}"`);
  if (options.serialNumber) parts.push(`SerialNumber="${BigInt(`0x${certificate.serialNumber}`)}"`);
  if (options.notBefore) parts.push(`NB="${seconds(certificate.validFrom)}"`);
  if (options.notAfter) parts.push(`NA="${seconds(certificate.validTo)}"`);
  if (options.sans) parts.push(`SAN="${alternativeNames(certificate).join(',')}"`);
  return parts.join(';');
}

const attributes: readonly (readonly [keyof NameOptions, string, string])[] = [
  ['domainComponent', 'DC', 'DC'],
  ['country', 'C', 'C'],
  ['province', 'ST', 'ST'],
  ['locality', 'L', 'L'],
  ['organization', 'O', 'O'],
  ['organizationalUnit', 'OU', 'OU'],
  ['serialNumber', 'serialNumber', 'SN'],
  ['commonName', 'CN', 'CN'],
];

/** `name` has one attribute a line. */
function nameText(name: string | undefined, options: NameOptions | undefined): string {
  if (options === undefined || name === undefined) return '';
  const lines = name.split('\n').map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at), unescaped(line.slice(at + 1))] as const;
  });
  const parts: string[] = [];
  for (const [option, attribute, prefix] of attributes) {
    if (options[option] !== true) continue;
    for (const [key, value] of lines) if (key === attribute && value !== '') parts.push(`${prefix}=${value}`);
  }
  return parts.join(',');
}

/** RFC 2253 puts a backslash before what has a meaning there, or before a byte's two digits. */
function unescaped(value: string): string {
  return value.replace(/\\([0-9A-Fa-f]{2}|.)/gs, (_, found: string) =>
    found.length === 1 ? found : String.fromCharCode(Number.parseInt(found, 16)),
  );
}

function seconds(date: string): number {
  return Math.floor(Date.parse(date) / 1000);
}

const kinds = ['DNS', 'email', 'IP Address', 'URI'];

function alternativeNames({ subjectAltName }: X509Certificate): string[] {
  if (subjectAltName === undefined) return [];
  // A name that holds a comma or a quote is written as a JSON text: nobody can pass it for two.
  const found = [...subjectAltName.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(
    ([, kind = '', value = '']) =>
      [kind, value.startsWith('"') ? (JSON.parse(value) as string) : value] as const,
  );
  return kinds.flatMap((wanted) => found.filter(([kind]) => kind === wanted).map(([, value]) => value));
}
