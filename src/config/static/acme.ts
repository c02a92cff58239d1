// Static schema: `certificatesResolvers.<name>`.

import { z } from 'zod';
import { bool, duration, int, list, object, secret, section, text } from '../../proxy/middlewares/fields.ts';
import { key, keyOr, later, oneOf, refused } from './define.ts';

const dnsChallenge = section({
  provider: key(text, 'exec: the program that `EXEC_PATH` names'),
  resolvers: keyOr(list, [], 'DNS servers asked for the record; the authoritative ones unless said'),
  propagation: section({
    disableChecks: keyOr(bool, false, 'Do not look whether the record is there'),
    disableANSChecks: later(keyOr(bool, false, 'Do not ask the authoritative servers')),
    requireAllRNS: keyOr(bool, false, 'Every server asked must know the record: they always must'),
    delayBeforeChecks: keyOr(duration, 0, 'Wait before looking'),
  }).optional(),
  delayBeforeCheck: keyOr(duration, 0, 'Older name of propagation.delayBeforeChecks'),
  disablePropagationCheck: keyOr(bool, false, 'Older name of propagation.disableChecks'),
});

const acme = object({
  email: key(text, 'Address of the account'),
  caServer: keyOr(text, 'https://acme-v02.api.letsencrypt.org/directory', 'Directory of the authority'),
  preferredChain: key(text, 'Issuer of the chain to prefer'),
  profile: key(text, 'Certificate profile'),
  emailAddresses: keyOr(list, [], 'Addresses put into the request'),
  disableCommonName: keyOr(bool, false, 'Leave the common name empty'),
  storage: keyOr(text, 'acme.json', 'File that keeps account and certificates, mode 600'),
  keyType: keyOr(oneOf(['EC256', 'EC384', 'RSA2048', 'RSA4096', 'RSA8192']), 'RSA4096', 'Kind of key'),
  eab: object({
    kid: key(text, 'Key identifier'),
    hmacEncoded: secret(key(text, 'HMAC key, base64url')),
  }).optional(),
  certificatesDuration: later(keyOr(int, 2160, 'Hours a certificate lives; its own dates say that')),
  clientTimeout: keyOr(duration, 120_000, 'For one call'),
  clientResponseHeaderTimeout: keyOr(duration, 30_000, 'For the head of an answer'),
  certificateTimeout: keyOr(duration, 30_000, 'For one certificate'),
  caCertificates: keyOr(list, [], 'Root certificates of the authority'),
  caSystemCertPool: keyOr(bool, false, 'Also trust the system’s roots'),
  caServerName: key(text, 'Name expected in the authority’s certificate'),
  dnsChallenge: dnsChallenge.optional(),
  httpChallenge: section({
    entryPoint: key(text, 'Entry point that answers the challenge'),
    delay: keyOr(duration, 0, 'Wait before asking for validation'),
  }).optional(),
  tlsChallenge: section({ delay: keyOr(duration, 0, 'Wait before asking for validation') }).optional(),
});

export const certificatesResolvers = z.record(
  z.string(),
  object({ acme: acme.optional(), tailscale: refused('get certificates over `acme`, or from files') }),
);
