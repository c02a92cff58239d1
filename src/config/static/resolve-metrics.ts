// `metrics` of the static configuration as processes get it.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MetricsSettings } from '../../model/metrics.ts';
import { staticError } from './problem.ts';
import type { StaticConfig } from './schema.ts';

export interface PrometheusSettings {
  readonly entryPoint: string;
  readonly manualRouting: boolean;
  readonly metrics: MetricsSettings;
}

const defaultBuckets: readonly number[] = [0.1, 0.3, 1.2, 5];
const maxBuckets = 64;
const maxHeaderLabels = 8;
/** Labels that numbers of requests have already. */
const taken: ReadonlySet<string> = new Set([
  'code',
  'method',
  'protocol',
  'entrypoint',
  'router',
  'service',
  'le',
]);

/** Null: metrics are off. */
export function resolveMetrics(
  { metrics }: StaticConfig,
  entryPoints: readonly { readonly name: string }[],
  diagnostics: Diagnostic[],
): PrometheusSettings | null {
  const prometheus = metrics?.prometheus;
  if (metrics === undefined || prometheus === undefined) return null;
  const { entryPoint, manualRouting } = prometheus;
  if (!manualRouting && !entryPoints.some(({ name }) => name === entryPoint)) {
    diagnostics.push(
      staticError(
        'metrics.prometheus.entryPoint',
        `\`entryPoint\` is ${shown(entryPoint)}, expected the name of an entry point`,
        `there are: ${entryPoints.map(({ name }) => name).join(', ')}`,
      ),
    );
  }
  return {
    entryPoint,
    manualRouting,
    metrics: {
      buckets: bucketsOf(prometheus.buckets, diagnostics),
      entryPoints: prometheus.addEntryPointsLabels,
      routers: prometheus.addRoutersLabels,
      services: prometheus.addServicesLabels,
      addInternals: metrics.addInternals,
      headerLabels: headerLabelsOf(prometheus.headerLabels ?? {}, diagnostics),
    },
  };
}

function bucketsOf(written: readonly number[] | undefined, diagnostics: Diagnostic[]): readonly number[] {
  if (written === undefined || written.length === 0) return defaultBuckets;
  const isAscending = written.every((bound, i) => bound > (written[i - 1] ?? 0));
  if (isAscending && written.length <= maxBuckets) return written;
  diagnostics.push(
    staticError(
      'metrics.prometheus.buckets',
      `\`buckets\` is ${shown(written.join(','))}, expected 1 to ${maxBuckets} seconds above 0, each larger than the one before`,
    ),
  );
  return defaultBuckets;
}

function headerLabelsOf(
  written: Readonly<Record<string, string>>,
  diagnostics: Diagnostic[],
): MetricsSettings['headerLabels'] {
  const labels: { label: string; header: string }[] = [];
  const path = 'metrics.prometheus.headerLabels';
  for (const [label, header] of Object.entries(written)) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label.startsWith('__') || taken.has(label)) {
      const message = `${shown(label)} is no label that can be added`;
      diagnostics.push(
        staticError(path, message, 'letters, digits and `_`, and none of the labels there are'),
      );
    } else labels.push({ label, header: header.toLowerCase() });
  }
  if (labels.length > maxHeaderLabels) {
    diagnostics.push(
      staticError(
        path,
        `there are ${labels.length} labels of headers, at most ${maxHeaderLabels} are possible`,
      ),
    );
  }
  return labels.slice(0, maxHeaderLabels);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
