// The alert rules in the eyes of promtool: right, tested each in both directions, and explained.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { allMetricNames } from '../../src/observability/names.ts';
import { missingPrometheus } from '../support/prometheus.ts';

const root = path.resolve(import.meta.dirname, '../..');
const folder = path.join(root, 'ops/prometheus');
const rulesFolder = path.join(folder, 'rules');
const testsFolder = path.join(folder, 'tests');
const skip = missingPrometheus;

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

function filesIn(where: string): readonly string[] {
  return readdirSync(where)
    .toSorted()
    .map((name) => path.join(where, name));
}

const rules = filesIn(rulesFolder).flatMap((file) => {
  const { groups } = parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap((group) => group.rules);
});
const alerts = rules.filter(({ alert }) => alert !== undefined);

function promtool(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', timeout: 60_000 });
  return { status, output: `${stdout}${stderr}` };
}

test('promtool has nothing to say against rules and configurations', { skip }, () => {
  for (const name of ['prometheus.yml', 'demo.yml']) {
    const { status, output } = promtool('check', 'config', '--lint-fatal', path.join(folder, name));
    assert.equal(status, 0, output);
  }
});

test('every alert fires and stays silent as its tests say', { skip }, () => {
  const { status, output } = promtool('test', 'rules', ...filesIn(testsFolder));
  assert.equal(status, 0, output);
});

test('every alert is expected to fire by a test, and its being silent is looked at in all others', () => {
  const text = filesIn(testsFolder)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  assert.ok(alerts.length >= 20);
  for (const { alert } of alerts)
    assert.match(text, new RegExp(`alertname="${alert}"\\}', value: [1-9]`), alert);
});

test('every alert has a severity, a summary, a description, and a section in the docs', () => {
  const docs = readFileSync(path.join(root, 'docs/observability.md'), 'utf8');
  const anchors = new Set(
    [...docs.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      (title as string)
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels?.['severity'] ?? '', /^(page|ticket)$/, alert);
    assert.ok((annotations?.['summary'] ?? '').length > 10, alert);
    assert.ok((annotations?.['description'] ?? '').length > 20, alert);
    const [file, anchor] = (annotations?.['runbook_url'] ?? '').split('#');
    assert.equal(file, 'docs/observability.md', alert);
    assert.ok(anchors.has(anchor as string), `${alert}: no section ${anchor}`);
    assert.ok(docs.includes(`\`${alert}\``), `${alert} is not in the docs`);
  }
});

test('rules name metrics that there are, of this job alone', () => {
  const known = new Set(
    allMetricNames().flatMap(({ name, type }) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
    ),
  );
  for (const { expr } of rules) {
    for (const [, name, matchers] of expr.matchAll(/([a-z_:]+)\{([^}]*)\}/g)) {
      assert.ok(
        known.has(name as string) || /^(up|process_start_time_seconds)$/.test(name as string),
        `${name}: ${expr}`,
      );
      assert.match(matchers as string, /^job="portcullis"/, expr);
    }
    for (const [name] of expr.matchAll(/\b\w+:\w+:\w+/g))
      assert.ok(
        rules.some(({ record }) => record === name),
        `${name} is not recorded`,
      );
  }
});

test('what the containers of Prometheus and Grafana are given is there', () => {
  const file = path.join(root, 'ops/compose/observability.yml');
  const { services } = parse(readFileSync(file, 'utf8')) as {
    services: Record<string, { volumes: string[] }>;
  };
  const paths = Object.values(services).flatMap(({ volumes }) =>
    volumes.map((volume) => volume.split(':')[0] as string),
  );
  const own = paths.filter((one) => one.startsWith('.'));
  assert.equal(own.length, 3);
  for (const one of own) assert.ok(existsSync(path.join(path.dirname(file), one)), one);
});
