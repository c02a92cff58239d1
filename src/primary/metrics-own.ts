// What the primary itself has to say in metrics: configuration, certificates, workers, health of servers.

import { X509Certificate } from 'node:crypto';
import type { CertificateSpec } from '../model/tls.ts';
import { head, labelsText, line } from '../observability/metric-text.ts';
import { metricNames } from '../observability/names.ts';
import type { OwnMetric, OwnSeries } from '../observability/own-metrics.ts';
import type { MetricsSources, OwnCounts } from './metrics.ts';
import { mapInSlices } from './api/slices.ts';

export function ownMetrics(sources: MetricsSources, counts: OwnCounts): readonly OwnMetric[] {
  const certificates = new KnownCertificates(sources.certificates);
  const one = (read: () => number): (() => readonly OwnSeries[]) => {
    return () => [{ labels: [], value: read() }];
  };
  return [
    { metric: metricNames.buildInfo, read: () => [{ labels: [sources.version], value: 1 }] },
    { metric: metricNames.configReloads, read: one(() => counts.reloads) },
    { metric: metricNames.configLastReload, read: one(() => Math.floor(counts.committedAt / 1000)) },
    { metric: metricNames.configVersion, read: one(() => sources.snapshot().version) },
    { metric: metricNames.configOk, read: one(() => (counts.isOk ? 1 : 0)) },
    { metric: metricNames.configFailures, read: one(() => counts.failures) },
    {
      metric: metricNames.configAge,
      read: one(() => (counts.committedAt === 0 ? 0 : (Date.now() - counts.committedAt) / 1000)),
    },
    { metric: metricNames.configDiagnostics, read: () => severities(sources) },
    { metric: metricNames.workers, read: one(() => sources.workers()) },
    { metric: metricNames.workerRestarts, read: one(() => counts.restarts) },
    { metric: metricNames.stickySessions, read: one(() => sources.sessions()) },
    {
      metric: metricNames.certificateNotAfter,
      read: () => certificates.series(({ notAfter }) => Math.floor(notAfter / 1000)),
    },
    {
      metric: metricNames.certificateRemaining,
      read: () => certificates.series(({ notAfter }) => (notAfter - Date.now()) / 1000),
    },
    {
      metric: metricNames.certificateLifetime,
      read: () => certificates.series(({ notBefore, notAfter }) => (notAfter - notBefore) / 1000),
    },
    { metric: metricNames.acmeCertificates, read: () => acmeStates(sources) },
    { metric: metricNames.acmeFailures, read: () => acmeFailures(sources) },
  ];
}

/** Servers whose services are checked: as many as the configuration has, so they are not left to a library. */
export async function createServerStates(
  { snapshot, serverStates }: MetricsSources,
  write: (text: string) => Promise<void>,
): Promise<void> {
  const { serverUp } = metricNames;
  const texts = await mapInSlices(snapshot().services, ({ name, kind }) => {
    const states = kind === 'loadBalancer' ? serverStates(name) : null;
    if (states === null) return '';
    return [...states]
      .map(([url, up]) => line(serverUp.name, labelsText(serverUp.labels, [name, url]), up ? 1 : 0))
      .join('');
  });
  const text = texts.join('');
  if (text !== '') await write(head(serverUp) + text);
}

/** Labels of certificates, which take a parser: kept for as long as there is the certificate. */
class KnownCertificates {
  readonly #all: () => readonly CertificateSpec[];
  /** By fingerprint. */
  #labels: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(all: () => readonly CertificateSpec[]) {
    this.#all = all;
  }

  series(value: (certificate: CertificateSpec) => number): readonly OwnSeries[] {
    const labels = new Map<string, readonly string[]>();
    const series = new Map<string, OwnSeries>();
    for (const certificate of this.#all()) {
      const { fingerprint } = certificate;
      const own = this.#labels.get(fingerprint) ?? labelsOf(certificate);
      labels.set(fingerprint, own);
      // Two of one serial number are one series.
      series.set(own.join('\n'), { labels: own, value: value(certificate) });
    }
    this.#labels = labels;
    return [...series.values()];
  }
}

/** Common name, serial number in decimal, and DNS names, as Traefik writes them. */
function labelsOf({ cert }: CertificateSpec): readonly string[] {
  try {
    const parsed = new X509Certificate(cert);
    const name = /^CN=(.*)$/m.exec(parsed.subject ?? '')?.[1] ?? '';
    const names = [...(parsed.subjectAltName ?? '').matchAll(/DNS:([^,"]+)/g)].map(([, dns]) => dns ?? '');
    return [name, BigInt(`0x${parsed.serialNumber}`).toString(), names.toSorted().join(',')];
  } catch {
    return ['', '', ''];
  }
}

/** Both always, so that a query finds 0 where nothing is wrong. */
function severities({ diagnostics }: MetricsSources): readonly OwnSeries[] {
  const all = diagnostics();
  return ['error', 'warning'].map((severity) => ({
    labels: [severity],
    value: all.filter((one) => one.severity === severity).length,
  }));
}

function acmeStates({ acme }: MetricsSources): readonly OwnSeries[] {
  const sums = new Map<string, number>();
  for (const { resolver, state } of acme()) {
    const key = `${resolver}\n${state}`;
    sums.set(key, (sums.get(key) ?? 0) + 1);
  }
  return [...sums].map(([key, value]) => ({ labels: key.split('\n'), value }));
}

function acmeFailures({ acme }: MetricsSources): readonly OwnSeries[] {
  const sums = new Map<string, number>();
  for (const { resolver, failures } of acme()) sums.set(resolver, (sums.get(resolver) ?? 0) + failures);
  return [...sums].map(([resolver, value]) => ({ labels: [resolver], value }));
}
