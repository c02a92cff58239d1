// `tls` of a file: certificates, stores and options, each decoded by itself.

import { z } from 'zod';
import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import { decode } from '../decode.ts';
import { isNothing } from '../decode/values.ts';
import type { MapNode, Tree } from '../tree.ts';
import { objectDecoder, wrap } from './decode-object.ts';
import { type LoadContext, loadEach, mustBeMap } from './load-each.ts';
import type { TlsConfig, Written } from './provider-config.ts';
import { emptyTls } from './provider-config.ts';
import type { CertificateConfig, OptionsConfig, StoreConfig } from './schema.ts';
import { certificateSchema, optionsSchema, storeSchema } from './schema.ts';
import { suitesLeftOut } from './suites-left-out.ts';
import { child, placeOf } from './tree-access.ts';

const parts = ['certificates', 'stores', 'options'];

export function loadTls(tls: Tree, context: LoadContext): TlsConfig {
  if (isNothing(tls)) return emptyTls;
  const { diagnostics } = context;
  if (tls.kind !== 'map') {
    diagnostics.push(mustBeMap(tls, 'tls', `a map with the keys ${parts.join(', ')}`));
    return emptyTls;
  }
  diagnostics.push(...decode(keysOnly, wrap('tls', withoutValues(tls))).diagnostics);
  return {
    certificates: loadCertificates(child(tls, 'certificates'), diagnostics),
    stores: loadEach(child(tls, 'stores'), loadStore, context),
    options: loadEach(child(tls, 'options'), loadOptions, context),
  };
}

const keysOnly = z.strictObject({
  tls: z.strictObject({
    certificates: z.any().optional(),
    stores: z.any().optional(),
    options: z.any().optional(),
  }),
});

/** For what is wrong with the keys themselves. */
function withoutValues(map: MapNode): MapNode {
  const named = (where: Place): Tree => ({ kind: 'scalar', value: 'there', where });
  const entries = [...map.entries].map(
    ([name, { key, node }]) => [name, { key, node: named(node.where) }] as const,
  );
  return { ...map, entries: new Map(entries) };
}

const oneCertificate = z.strictObject({
  tls: z.strictObject({ certificates: z.array(certificateSchema) }),
});

function loadCertificates(section: Tree | null, diagnostics: Diagnostic[]): Written<CertificateConfig>[] {
  if (section === null) return [];
  if (section.kind !== 'list') {
    diagnostics.push(mustBeMap(section, 'tls.certificates', 'a list of certFile and keyFile'));
    return [];
  }
  return section.items.flatMap((item, index) => {
    const alone = { kind: 'list' as const, items: [item], where: section.where };
    const decoded = decode(oneCertificate, wrap('tls', wrap('certificates', alone)));
    for (const found of decoded.diagnostics) diagnostics.push(atIndex(found, index));
    const value = decoded.value?.tls.certificates[0];
    if (value === undefined) return [];
    const { where } = item;
    const missing = (['certFile', 'keyFile'] as const).filter((key) => (value[key] ?? '') === '');
    if (missing.length > 0) {
      const message = `\`${missing.join('` and `')}\` of a certificate is missing: it is left out`;
      const hint = 'give both, as paths or as PEM texts';
      diagnostics.push({ severity: 'error', code: 'config.missing', message, where, hint });
      return [];
    }
    const others = (value.stores ?? []).filter((store) => store !== 'default');
    if (others.length > 0) {
      const message = 'there is one store, `default`: the certificate is in that one, whatever is listed';
      diagnostics.push({ severity: 'info', code: 'config.no_effect', message, where });
    }
    return [{ value, where, errors: [] }];
  });
}

/** Each is decoded as the only one. */
function atIndex(diagnostic: Diagnostic, index: number): Diagnostic {
  const message = diagnostic.message.replaceAll('tls.certificates[0]', `tls.certificates[${index}]`);
  return { ...diagnostic, message };
}

const decodeStore = objectDecoder('stores', storeSchema, 'tls');

function loadStore(name: string, node: Tree, diagnostics: Diagnostic[]): StoreConfig {
  const decoded = decodeStore(name, node);
  diagnostics.push(...decoded.diagnostics);
  if (name !== 'default') {
    diagnostics.push({
      severity: 'error',
      code: 'config.unsupported',
      message: `there is one store, \`default\`: \`${name.slice(0, 80)}\` is left out`,
      where: node.where,
    });
    return {};
  }
  const store = decoded.value ?? {};
  const at = (path: readonly string[]) => ({ where: placeOf(node, path) });
  const { defaultCertificate: own, defaultGeneratedCert: generated } = store;
  if (own !== undefined && ((own.certFile ?? '') === '' || (own.keyFile ?? '') === '')) {
    const message = '`defaultCertificate` needs `certFile` and `keyFile`';
    diagnostics.push({ severity: 'error', code: 'config.missing', message, ...at(['defaultCertificate']) });
    return { ...store, defaultCertificate: undefined };
  }
  if (generated !== undefined && ((generated.resolver ?? '') === '' || generated.domain === undefined)) {
    const message = '`defaultGeneratedCert` needs `resolver` and `domain`';
    diagnostics.push({ severity: 'error', code: 'config.missing', message, ...at(['defaultGeneratedCert']) });
  }
  if (own !== undefined && generated !== undefined) {
    const message = '`defaultGeneratedCert` has no effect beside `defaultCertificate`';
    diagnostics.push({
      severity: 'warning',
      code: 'config.no_effect',
      message,
      ...at(['defaultGeneratedCert']),
    });
  }
  return store;
}

const decodeOptions = objectDecoder('options', optionsSchema, 'tls');

const order = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

function loadOptions(name: string, node: Tree, diagnostics: Diagnostic[]): OptionsConfig {
  const decoded = decodeOptions(name, node);
  diagnostics.push(...decoded.diagnostics);
  const options = decoded.value ?? { sniStrict: false, disableSessionTickets: false };
  const say = (severity: Diagnostic['severity'], path: readonly string[], message: string, hint?: string) =>
    diagnostics.push({
      severity,
      code: severity === 'error' ? 'config.invalid_value' : 'config.no_effect',
      message,
      where: placeOf(node, path),
      ...(hint === undefined ? {} : { hint }),
    });
  const { minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3', clientAuth } = options;
  if (order.indexOf(maxVersion) < order.indexOf('TLSv1.2'))
    say('error', ['maxVersion'], '`maxVersion` is below TLS 1.2: the gateway speaks nothing older');
  else if (order.indexOf(minVersion) > order.indexOf(maxVersion))
    say('error', ['minVersion'], '`minVersion` is above `maxVersion`: no handshake could succeed');
  if (order.indexOf(minVersion) < order.indexOf('TLSv1.2')) {
    const message =
      '`minVersion` is below TLS 1.2: clients that speak nothing newer are refused all the same';
    say('warning', ['minVersion'], message, 'write VersionTLS12, or leave it out');
  }
  if (options.cipherSuites !== undefined) diagnostics.push(...suitesLeftOut(node));
  const type = clientAuth?.clientAuthType;
  if (
    (type === 'VerifyClientCertIfGiven' || type === 'RequireAndVerifyClientCert') &&
    clientAuth?.caFiles.length === 0
  )
    say('error', ['clientAuth', 'clientAuthType'], `\`${type}\` needs \`caFiles\` to verify against`);
  if (options.preferServerCipherSuites !== undefined)
    say('info', ['preferServerCipherSuites'], '`preferServerCipherSuites` has no effect: it is always so');
  return options;
}
