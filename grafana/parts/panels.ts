// Panels as the dashboards need them: what is shown, in which unit, from which value on it is bad, and why it matters.

import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type * as cog from '@grafana/grafana-foundation-sdk/cog';
import {
  DashboardLinkBuilder,
  type Panel as PanelModel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export interface Query {
  readonly expr: string;
  /** With labels as `{{name}}`; in a table the name of the column of values. */
  readonly legend: string;
}

/** Grafana's names; one for each kind of number, so that panels read alike. */
export type Unit =
  | 'reqps'
  | 'percentunit'
  | 's'
  | 'bytes'
  | 'Bps'
  | 'short'
  | 'ops'
  | 'none'
  | 'dateTimeFromNow';

/** Yellow and red from these values on; the other way round where little is bad. */
export interface Limits {
  readonly warn: number;
  readonly bad: number;
}

export interface Panel {
  readonly title: string;
  /** What it shows, and what to think of it. */
  readonly about: string;
  readonly kind: 'lines' | 'stacked' | 'number' | 'table';
  readonly unit: Unit;
  /** Of 24 columns. */
  readonly width: number;
  readonly queries: readonly Query[];
  readonly limits?: Limits;
  readonly max?: number;
  /** Where a click on a series leads. */
  readonly leadsTo?: Lead;
}

export interface Lead {
  readonly title: string;
  readonly uid: string;
  /** Label of the series that is the choice there, by the same name. */
  readonly label: string;
}

export interface Placed {
  readonly id: number;
  /** Of the variable that names the data source. */
  readonly datasource: string;
}

const heights = { lines: 8, stacked: 8, number: 4, table: 8 } as const;

export function buildPanel(panel: Panel, { id, datasource }: Placed): cog.Builder<PanelModel> {
  const common = base(panel).id(id).title(panel.title).description(panel.about).unit(panel.unit);
  common
    .span(panel.width)
    .height(heights[panel.kind])
    .datasource({ type: 'prometheus', uid: `\${${datasource}}` });
  if (panel.unit !== 'dateTimeFromNow') common.min(0);
  if (panel.max !== undefined) common.max(panel.max);
  if (panel.leadsTo !== undefined) common.dataLinks([leadTo(panel.leadsTo)]);
  common.thresholds(thresholdsOf(panel.limits));
  for (const [at, query] of panel.queries.entries()) common.withTarget(target(panel, query, at));
  return common;
}

function leadTo({ title, uid, label }: Lead): DashboardLinkBuilder {
  const choice = `var-${label}=\${__field.labels.${label}:percentencode}`;
  return new DashboardLinkBuilder(title).url(
    `/d/${uid}?${choice}&\${datasource:queryparam}&\${instance:queryparam}&\${__url_time_range}`,
  );
}

function base({ kind }: Panel): LinesBuilder | StatBuilder | TableBuilder {
  if (kind === 'table') return new TableBuilder().withTransformation({ id: 'merge', options: {} });
  if (kind === 'number') {
    return new StatBuilder()
      .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
      .graphMode(BigValueGraphMode.None)
      .colorMode(BigValueColorMode.Value);
  }
  const lines = new LinesBuilder()
    .fillOpacity(kind === 'stacked' ? 40 : 0)
    .lineWidth(1)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    );
  return kind === 'stacked' ? lines.stacking(new StackingConfigBuilder().mode(StackingMode.Normal)) : lines;
}

function thresholdsOf(limits: Limits | undefined): ThresholdsConfigBuilder {
  const builder = new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute);
  if (limits === undefined) return builder.steps([{ value: null, color: 'green' }]);
  const { warn, bad } = limits;
  if (warn < bad) {
    return builder.steps([
      { value: null, color: 'green' },
      { value: warn, color: 'yellow' },
      { value: bad, color: 'red' },
    ]);
  }
  return builder.steps([
    { value: null, color: 'red' },
    { value: bad, color: 'yellow' },
    { value: warn, color: 'green' },
  ]);
}

/** Numbers and tables ask for now alone: a question over the whole range would be thrown away. */
function target({ kind }: Panel, { expr, legend }: Query, at: number): DataqueryBuilder {
  const query = new DataqueryBuilder()
    .refId(String.fromCharCode(65 + at))
    .expr(expr)
    .legendFormat(legend);
  if (kind === 'table') return query.instant().format(PromQueryFormat.Table);
  return kind === 'number' ? query.instant() : query.range();
}
