// passTLSClientCert: tells the server about the certificate its client has shown.

import { deleteHeader } from '../headers.ts';
import { CONTINUE } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { bool, object, section } from './fields.ts';
import { certificateInfo, pemOf } from './pass-tls-client-cert/info.ts';
import { escapeQuery } from './path-text.ts';

const pemHeader = 'x-forwarded-tls-client-cert';
const infoHeader = 'x-forwarded-tls-client-cert-info';

const nameFields = {
  country: bool.default(false),
  province: bool.default(false),
  locality: bool.default(false),
  organization: bool.default(false),
  commonName: bool.default(false),
  serialNumber: bool.default(false),
  domainComponent: bool.default(false),
};

export const passTLSClientCert = defineMiddleware({
  kind: 'passTLSClientCert',
  summary: 'Names the client’s certificate to the server.',
  schema: object({
    pem: bool.default(false),
    info: object({
      notAfter: bool.default(false),
      notBefore: bool.default(false),
      sans: bool.default(false),
      serialNumber: bool.default(false),
      subject: section({ ...nameFields, organizationalUnit: bool.default(false) }).optional(),
      issuer: section(nameFields).optional(),
    }).optional(),
  }),
  build(options) {
    const info = options.info ?? null;
    return {
      request(x) {
        // From a peer that is trusted these came through intake; who reads them behind asks for this client's.
        deleteHeader(x.headers, pemHeader);
        deleteHeader(x.headers, infoHeader);
        const certificates = x.clientCertificates;
        if (certificates === null || certificates.length === 0) return CONTINUE;
        if (options.pem) x.headers.push(pemHeader, certificates.map(pemOf).join(','));
        if (info !== null) {
          const texts = certificates.map((certificate) => certificateInfo(certificate, info));
          x.headers.push(infoHeader, escapeQuery(texts.join(',')));
        }
        return CONTINUE;
      },
    };
  },
});
