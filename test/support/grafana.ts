// What Grafana would ask for, out of the dashboards' files: each query with the variables filled in.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const dashboardFolder: string = path.resolve(import.meta.dirname, '../../grafana/dashboards');

export interface StoredPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
  readonly panels?: readonly StoredPanel[];
}

export interface StoredDashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly panels: readonly StoredPanel[];
  readonly templating: { readonly list: readonly StoredVariable[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly links: readonly { readonly type: string; readonly tags: readonly string[] }[];
}

export interface StoredVariable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
}

export function storedDashboards(): readonly StoredDashboard[] {
  return readdirSync(dashboardFolder)
    .toSorted()
    .map((name) => JSON.parse(readFileSync(path.join(dashboardFolder, name), 'utf8')) as StoredDashboard);
}

/** Without rows, with what lies in closed ones. */
export function panelsOf({ panels }: StoredDashboard): readonly StoredPanel[] {
  return panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]).filter(({ type }) => type !== 'row');
}

/** As Grafana would send it with everything chosen. `rate` is what `$__rate_interval` stands for. */
export function fillVariables(expr: string, rate: string): string {
  return expr
    .replaceAll('$__rate_interval', rate)
    .replaceAll('$__interval', rate)
    .replaceAll(/\$\{?[a-z]+\}?/g, '.+');
}
