// A dashboard from its rows: variables, links to the others, and a mark where a configuration came into force.

import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as LogsBuilder } from '@grafana/grafana-foundation-sdk/logs';
import { DataqueryBuilder as LokiQueryBuilder } from '@grafana/grafana-foundation-sdk/loki';
import { buildPanel, type Panel } from './panels.ts';

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Logs {
  readonly title: string;
  readonly about: string;
  /** LogQL. */
  readonly expr: string;
}

export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly about: string;
  readonly variables: readonly VariableName[];
  readonly rows: readonly Row[];
  /** In a row of its own, closed until it is wanted: it needs Loki. */
  readonly logs?: Logs;
  /** How far back it looks at first; `6h` unless said. */
  readonly since?: string;
}

export type VariableName = keyof typeof variableQueries;

const datasource = 'datasource';
const logsDatasource = 'logs';

/** Each by metrics that have few series of it: what is listed is read at every change of the time range. */
const variableQueries = {
  instance: 'label_values(portcullis_build_info, instance)',
  entrypoint: 'label_values(traefik_entrypoint_requests_total{instance=~"$instance"}, entrypoint)',
  service: 'label_values(traefik_service_requests_total{instance=~"$instance"}, service)',
  router: 'label_values(traefik_router_requests_total{instance=~"$instance"}, router)',
  middleware: 'label_values(portcullis_auth_cache_hits_total{instance=~"$instance"}, middleware)',
} as const;

const variableLabels: Readonly<Record<VariableName, string>> = {
  instance: 'Instance',
  entrypoint: 'Entry point',
  service: 'Service',
  router: 'Router',
  middleware: 'Middleware',
};

export function buildBoard(board: Board): Dashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.about)
    .tags(['portcullis'])
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: `now-${board.since ?? '6h'}`, to: 'now' })
    .refresh('1m')
    .links([links()])
    .annotations([reloads()])
    .withVariable(new DatasourceVariableBuilder(datasource).label('Data source').type('prometheus'));
  for (const name of board.variables) builder.withVariable(variable(name));
  let id = 0;
  for (const row of board.rows) {
    builder.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) builder.withPanel(buildPanel(panel, { id: ++id, datasource }));
  }
  if (board.logs !== undefined) addLogs(builder, board.logs, id);
  return shown(builder.build());
}

/** Links and marks stay in sight: the builders put them into a menu, which those of old releases do not have. */
function shown(dashboard: Dashboard): Dashboard {
  for (const one of [...(dashboard.links ?? []), ...(dashboard.annotations.list ?? [])]) delete one.placement;
  return dashboard;
}

/** Another dashboard with the same time and the same choices. */
function links(): DashboardLinkBuilder {
  return new DashboardLinkBuilder('Portcullis')
    .type(DashboardLinkType.Dashboards)
    .tags(['portcullis'])
    .asDropdown(true)
    .includeVars(true)
    .keepTime(true);
}

function reloads(): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name('Reloads')
    .datasource({ type: 'prometheus', uid: `\${${datasource}}` })
    .enable(true)
    .iconColor('blue')
    .expr('changes(portcullis_config_version{instance=~"$instance"}[1m]) > 0')
    .step('60s');
}

function variable(name: VariableName): QueryVariableBuilder {
  const builder = new QueryVariableBuilder(name)
    .label(variableLabels[name])
    .query({ query: variableQueries[name], refId: 'values' })
    .datasource({ type: 'prometheus', uid: `\${${datasource}}` })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: ['All'], value: ['$__all'] });
  // All of the others is no filter, where a list of ten thousand names would be a long one. Instances stay a list:
  // another gateway that speaks of `traefik_…` has none of ours.
  return name === 'instance' ? builder : builder.allValue('.*');
}

function addLogs(builder: DashboardBuilder, logs: Logs, lastId: number): void {
  const source = { type: 'loki', uid: `\${${logsDatasource}}` };
  builder.withVariable(new DatasourceVariableBuilder(logsDatasource).label('Logs').type('loki'));
  const panel = new LogsBuilder()
    .id(lastId + 2)
    .title(logs.title)
    .description(logs.about)
    .span(24)
    .height(12)
    .showTime(true)
    .wrapLogMessage(true)
    .datasource(source)
    .withTarget(
      new LokiQueryBuilder().refId('A').expr(logs.expr).maxLines(200).range(true).datasource(source),
    );
  builder.withRow(
    new RowBuilder(logs.title)
      .id(lastId + 1)
      .collapsed(true)
      .withPanel(panel),
  );
}
