// Counts over everything, and everything at once.

import type { Snapshot } from '../../model/snapshot.ts';
import type { CertificateSpec } from '../../model/tls.ts';
import { jsonOf } from './answers.ts';
import { type CertificateFact, certificateFacts, stateOf } from './certificate-view.ts';
import type { ApiFacts, ApiSources } from './facts.ts';
import { type Listed, type Status, statusOf } from './list.ts';
import { mapInSlices } from './slices.ts';
import { type Kind, viewsOfKind } from './views.ts';

interface Count {
  readonly total: number;
  readonly warnings: number;
  readonly errors: number;
}

const none: Count = { total: 0, warnings: 0, errors: 0 };

export function overview(
  snapshot: Snapshot,
  facts: ApiFacts,
  obtained: readonly CertificateSpec[] = [],
): Record<string, unknown> {
  const { routers, services, middlewares } = snapshot;
  return {
    http: {
      routers: count(routers.map(({ errors, warnings }) => statusOf(errors, warnings))),
      services: count(services.map(({ errors }) => statusOf(errors, []))),
      middlewares: count(middlewares.map(({ errors }) => statusOf(errors, []))),
    },
    tcp: { routers: none, services: none, middlewares: none },
    udp: { routers: none, services: none },
    certificates: certificateCount(certificateFacts(snapshot, obtained)),
    features: { tracing: '', metrics: facts.metrics ? 'Prometheus' : '', accessLog: facts.accessLog },
    providers: facts.providers,
  };
}

function certificateCount(facts: readonly CertificateFact[]): Count {
  const states = facts.map(({ certificate }) => stateOf(certificate));
  return {
    total: states.length,
    warnings: states.filter((state) => state === 'warning').length,
    errors: states.filter((state) => state === 'expired').length,
  };
}

/** JSON. Sections that are empty are left out; entries don't repeat what their key says. */
export async function rawData(sources: ApiSources): Promise<string> {
  const snapshot = sources.snapshot();
  const sections: string[] = [];
  for (const kind of ['routers', 'middlewares', 'services'] as const satisfies readonly Kind[]) {
    const items = await viewsOfKind(kind, snapshot, sources.serverStates);
    if (items.length === 0) continue;
    sections.push(`${jsonOf(kind)}:{${(await mapInSlices(items, entry)).join(',')}}`);
  }
  return `{${sections.join(',')}}`;
}

function entry(item: Listed): string {
  const { name, provider: _provider, type: _type, ...kept } = item;
  return `${jsonOf(name)}:${jsonOf(kept)}`;
}

function count(all: readonly Status[]): Count {
  return {
    total: all.length,
    warnings: all.filter((status) => status === 'warning').length,
    errors: all.filter((status) => status === 'disabled').length,
  };
}
