// passTLSClientCert: what of a certificate the server is told.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getHeader } from '../../../../src/proxy/headers.ts';
import { CONTINUE } from '../../../../src/proxy/hooks.ts';
import { build, exchange } from './workbench.ts';

const base64 = `
MIICyjCCAnCgAwIBAgIJAKtUqYzrHwrSMAoGCCqGSM49BAMCMIGaMRMwEQYKCZIm
iZPyLGQBGRYDb3JnMRcwFQYKCZImiZPyLGQBGRYHZXhhbXBsZTELMAkGA1UEBhMC
REUxDzANBgNVBAgMBkJheWVybjEMMAoGA1UEBwwDSG9mMRUwEwYDVQQKDAxFeGFt
cGxlLCBJbmMxDTALBgNVBAsMBEdhdGUxDDAKBgNVBAMMA2FubjEKMAgGA1UEBRMB
NzAgFw0yNjExMjIwMTMwNDlaGA8yMTI2MTAyOTAxMzA0OVowgZoxEzARBgoJkiaJ
k/IsZAEZFgNvcmcxFzAVBgoJkiaJk/IsZAEZFgdleGFtcGxlMQswCQYDVQQGEwJE
RTEPMA0GA1UECAwGQmF5ZXJuMQwwCgYDVQQHDANIb2YxFTATBgNVBAoMDEV4YW1w
bGUsIEluYzENMAsGA1UECwwER2F0ZTEMMAoGA1UEAwwDYW5uMQowCAYDVQQFEwE3
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyxRGZiQz1fJE3cxpCjMcm7oQAPM/
wif3i14b/MPaeqNnWPDAntkSIz9dTq+vatfhjSHo59cS36m0yi/rhgxnSqOBmjCB
lzAdBgNVHQ4EFgQUYz66lj2whJU0IV1nQYGf5JVOcwwwHwYDVR0jBBgwFoAUYz66
lj2whJU0IV1nQYGf5JVOcwwwDwYDVR0TAQH/BAUwAwEB/zBEBgNVHREEPTA7gglh
LmV4YW1wbGWCCWIuZXhhbXBsZYEPYW5uQGV4YW1wbGUub3JnhwQKAAABhgxzcGlm
ZmU6Ly94L3kwCgYIKoZIzj0EAwIDSAAwRQIgXNJWlnghW5/i7E/j+3jRTKMTTFNF
zi1NtxyGW3s3+joCIQDqDa1dZ9lybp7wMugz+4iPq0J5kIuPksf4zkXYq+1Liw==
`.replaceAll('\n', '');
const der = Buffer.from(base64, 'base64');

const all = {
  notAfter: true,
  notBefore: true,
  sans: true,
  serialNumber: true,
  subject: {
    country: true,
    province: true,
    locality: true,
    organization: true,
    organizationalUnit: true,
    commonName: true,
    serialNumber: true,
    domainComponent: true,
  },
  issuer: { commonName: true },
};

function told(options: object, certificates: readonly Uint8Array[] | null, headers: string[] = []) {
  const x = exchange({ headers });
  x.clientCertificates = certificates;
  assert.equal(build('passTLSClientCert', options).request(x), CONTINUE);
  return x.headers;
}

test('the PEM text comes without its first and last line and without breaks, several by comma', () => {
  assert.deepEqual(told({ pem: true }, [der]), ['x-forwarded-tls-client-cert', base64]);
  const [, two] = told({ pem: true }, [der, der]);
  assert.equal(two, `${base64},${base64}`);
});

test('all that is known of a certificate is one escaped text', () => {
  const escaped = getHeader(told({ info: all }, [der]), 'x-forwarded-tls-client-cert-info') ?? '';
  assert.match(escaped, /^[A-Za-z0-9%+._-]+$/);
  assert.equal(
    decodeURIComponent(escaped.replaceAll('+', ' ')),
    [
      'Subject="DC=org,DC=example,C=DE,ST=Bayern,L=Hof,O=Example, Inc,OU=Gate,SN=7,CN=ann"',
      'Issuer="CN=ann"',
      'SerialNumber="12345678901234567890"',
      'NB="1795311049"',
      'NA="4948911049"',
      'SAN="a.example,b.example,ann@example.org,10.0.0.1,spiffe://x/y"',
    ].join(';'),
  );
});

test('only what is asked for is told, several certificates by comma', () => {
  const some = { info: { subject: { commonName: true }, issuer: {} } };
  const [, value = ''] = told(some, [der, der]);
  assert.equal(decodeURIComponent(value), 'Subject="CN=ann",Subject="CN=ann"');
});

test('without a certificate nothing is told, and what the client said of one is gone', () => {
  const forged = [
    'x-forwarded-tls-client-cert',
    'a',
    'x-forwarded-tls-client-cert-info',
    'b',
    'x-other',
    'c',
  ];
  assert.deepEqual(told({ pem: true, info: all }, null, [...forged]), ['x-other', 'c']);
  assert.deepEqual(told({ pem: true, info: all }, [], [...forged]), ['x-other', 'c']);
  assert.deepEqual(told({}, [der], [...forged]), ['x-other', 'c']);
});
