// TLS options as they are written → as listeners take them.

import type { TlsOptionsSpec } from '../../model/tls.ts';
import { defaultTlsOptions } from '../../model/tls.ts';
import type { Written } from './provider-config.ts';
import type { OptionsConfig } from './schema.ts';

export function tlsOptionsSpec(name: string, { value, errors }: Written<OptionsConfig>): TlsOptionsSpec {
  const { cipherSuites = [], curvePreferences = [], alpnProtocols = [] } = value;
  return {
    name,
    // Nothing older is spoken, whatever is written.
    minVersion: value.minVersion === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
    maxVersion: value.maxVersion ?? defaultTlsOptions.maxVersion,
    ...(cipherSuites.length === 0 ? {} : { cipherSuites }),
    ...(curvePreferences.length === 0 ? {} : { curvePreferences }),
    clientAuth: clientAuthOf(value),
    sniStrict: value.sniStrict,
    alpnProtocols: alpnProtocols.length === 0 ? defaultTlsOptions.alpnProtocols : alpnProtocols,
    sessionTickets: !value.disableSessionTickets,
    errors,
  };
}

/** Whether a client without a certificate that can be trusted gets nowhere. */
export function demandsCertificate({ clientAuth }: TlsOptionsSpec): boolean {
  return clientAuth?.type === 'RequireAndVerifyClientCert' || clientAuth?.type === 'RequireAnyClientCert';
}

/** What of them the uws engine cannot do, as it is written; empty: nothing. */
export function beyondUws(options: TlsOptionsSpec): string[] {
  const beyond: string[] = [];
  if (options.minVersion !== defaultTlsOptions.minVersion) beyond.push('minVersion');
  if (options.maxVersion !== defaultTlsOptions.maxVersion) beyond.push('maxVersion');
  if (options.curvePreferences !== undefined) beyond.push('curvePreferences');
  if (options.clientAuth !== null) beyond.push('clientAuth');
  if (!options.sessionTickets) beyond.push('disableSessionTickets');
  if (!options.alpnProtocols.includes('http/1.1')) beyond.push('alpnProtocols');
  return beyond;
}

function clientAuthOf({ clientAuth }: OptionsConfig): TlsOptionsSpec['clientAuth'] {
  if (clientAuth === undefined) return null;
  const { clientAuthType, caFiles } = clientAuth;
  // Authorities without a type are there to be verified against.
  const type = clientAuthType ?? (caFiles.length > 0 ? 'RequireAndVerifyClientCert' : 'NoClientCert');
  return type === 'NoClientCert' ? null : { type, cas: caFiles };
}
