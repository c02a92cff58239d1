// The dashboards' files: up to date, deterministic, complete, and about metrics that there are.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { dashboardFiles } from '../../../grafana/dashboards.ts';
import { keptFields } from '../../../src/observability/access-fields.ts';
import { allMetricNames } from '../../../src/observability/names.ts';
import { dashboardFolder, panelsOf, storedDashboards } from '../../support/grafana.ts';

const files = dashboardFiles();

describe('what is generated is up to date', () => {
  for (const { name, text } of files) {
    test(`grafana/dashboards/${name}`, () => {
      const file = path.join(dashboardFolder, name);
      const stored = existsSync(file) ? readFileSync(file, 'utf8') : '';
      assert.ok(stored === text, 'it is not: run npm run grafana:build');
    });
  }

  test('grafana/dashboards has no other files', () => {
    assert.deepEqual(readdirSync(dashboardFolder).toSorted(), files.map(({ name }) => name).toSorted());
  });
});

test('building twice gives the same text', () => {
  assert.deepEqual(dashboardFiles(), files);
});

const dashboards = storedDashboards();

test('names are used once', () => {
  for (const key of ['uid', 'title'] as const)
    assert.equal(new Set(dashboards.map((dashboard) => dashboard[key])).size, dashboards.length);
});

for (const dashboard of dashboards) {
  describe(dashboard.title, () => {
    const panels = panelsOf(dashboard);

    test('every panel says what it shows, in which unit, from which data source', () => {
      for (const panel of panels) {
        assert.ok((panel.description ?? '').length > 10, `${panel.title}: description`);
        assert.match(panel.datasource?.uid ?? '', /^\$\{(datasource|logs)\}$/, panel.title);
        if (panel.type !== 'logs') assert.ok(panel.fieldConfig?.defaults.unit, `${panel.title}: unit`);
        assert.ok((panel.targets ?? []).length > 0, `${panel.title}: queries`);
      }
      const ids = dashboard.panels.flatMap((panel) => [
        panel.id,
        ...(panel.panels ?? []).map(({ id }) => id),
      ]);
      assert.equal(new Set(ids).size, ids.length, 'ids are used once');
    });

    test('every variable of a query is there, and every variable is used', () => {
      const names = dashboard.templating.list.map(({ name }) => name);
      const text = JSON.stringify([dashboard.panels, dashboard.annotations]);
      for (const [, name] of text.matchAll(/\$\{?(?!__)([a-z]+)/g))
        assert.ok(names.includes(name as string), `$${name}`);
      for (const name of names) assert.match(text, new RegExp(`\\$\\{?${name}\\b`), `nothing uses $${name}`);
    });

    test('leads to the others', () => {
      assert.deepEqual(dashboard.tags, ['portcullis']);
      assert.deepEqual(
        dashboard.links.map(({ type, tags }) => ({ type, tags })),
        [{ type: 'dashboards', tags: ['portcullis'] }],
      );
    });
  });
}

/** Of prom-client and of Prometheus itself. */
const foreign = /^(process_|nodejs_|up$)/;

test('links of series lead to dashboards that there are, with variables that those have', () => {
  const urls = [...JSON.stringify(dashboards).matchAll(/"url":"\/d\/([\w-]+)\?([^"]+)"/g)];
  assert.ok(urls.length >= 6);
  for (const [, uid, query] of urls) {
    const dashboard = dashboards.find((one) => one.uid === uid);
    assert.ok(dashboard, uid);
    const names = dashboard.templating.list.map(({ name }) => name);
    const wanted = [...(query as string).matchAll(/var-(\w+)=|\$\{(\w+):queryparam\}/g)].map(
      ([, a, b]) => a ?? b,
    );
    assert.ok(wanted.length >= 3, query);
    for (const name of wanted) assert.ok(names.includes(name as string), `${uid} has no ${name}`);
  }
});

const rules = readFileSync(
  path.resolve(import.meta.dirname, '../../../ops/prometheus/rules/portcullis-recording.yml'),
  'utf8',
);
const recorded = new Set([...rules.matchAll(/record: (\S+)/g)].map(([, name]) => name as string));

test('queries name metrics that there are', () => {
  const known = new Set(
    allMetricNames().flatMap(({ name, type }) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
    ),
  );
  const used = dashboards.flatMap((dashboard) => [
    ...panelsOf(dashboard)
      .filter(({ type }) => type !== 'logs')
      .flatMap(({ targets = [] }) => targets),
    ...dashboard.annotations.list,
  ]);
  for (const { expr } of used) {
    const names = [...expr.matchAll(/([\w:]+)\{/g)].map(([, name]) => name as string);
    assert.ok(names.length > 0, expr);
    for (const name of names)
      assert.ok(known.has(name) || foreign.test(name) || recorded.has(name), `${name} in ${expr}`);
  }
});

test('every metric is on a dashboard or left out on purpose', () => {
  const leftOut = [
    // Said of entry points; a router's or a service's share of old clients follows from that.
    'traefik_router_requests_tls_total',
    'traefik_service_requests_tls_total',
    // Said by the age.
    'traefik_config_last_reload_success',
  ];
  const text = JSON.stringify(dashboards);
  const missing = allMetricNames().filter(({ name }) => !text.includes(name));
  assert.deepEqual(
    missing.map(({ name }) => name),
    leftOut,
  );
});

test('the lines of the log are cut by fields that the access log has', () => {
  const settings = {
    defaultMode: 'keep',
    names: {},
    headers: { defaultMode: 'drop', names: {} },
    queryParameters: 'drop',
  };
  const fields = keptFields(settings as unknown as Parameters<typeof keptFields>[0]).map(({ key }) =>
    key.slice(2, -2),
  );
  const exprs = dashboards.flatMap((dashboard) =>
    panelsOf(dashboard)
      .filter(({ type }) => type === 'logs')
      .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  );
  assert.equal(exprs.length, 1);
  for (const expr of exprs) {
    const used = [...expr.matchAll(/\{\{\.(\w+)\}\}|\| (\w+)=~/g)].map(
      ([, field, filter]) => field ?? filter,
    );
    assert.ok(used.length > 5);
    for (const name of used) assert.ok(fields.includes(name as string), name);
  }
});
