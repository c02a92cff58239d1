// Results as Markdown, and what README.md shows of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf, withSection } from '../../../bench/publish.ts';
import { headlinesOf, toHeadlines, toMarkdown } from '../../../bench/table.ts';
import { nginx, rates, result, row } from './made-up.ts';

test('a line of the table has the medians of its rounds', () => {
  const table = toMarkdown(result([rates([50_000, 52_000, 51_000])]));
  assert.match(
    table,
    /\| plain \| portcullis \| 1 \| wrk \| 51000 \| 20\.0 \| 1\.00 \| 2\.00 \| 4\.00 \| 100 \| 0 \|/,
  );
});

test('errors of all rounds are summed up', () => {
  const table = toMarkdown(result([row([{ errors: 2 }, { errors: 3 }, {}])]));
  assert.match(table, /\| 100 \| 5 \|/);
});

test('what a driver did not measure stays empty', () => {
  const paced = row([{ perSecond: null, cpu: null, p50: null, figures: { 'reload ms': 120.25 } }]);
  assert.match(toMarkdown(result([paced])), /\| wrk \| {2}\| {2}\| {2}\| 2\.00 .* 120\.3 reload ms \|/);
});

test('what was not measured is listed with its reason, and of a long one the first and the last line', () => {
  const cell = { scenario: 'sticky', case: 'returning', peer: 'nginx', label: 'nginx', cores: 1 };
  const skipped = [{ ...cell, reason: 'it did not come up\nstack\nport taken' }];
  assert.match(
    toMarkdown(result([], { skipped })),
    /- sticky, returning, nginx: it did not come up: port taken\n/,
  );
});

test('what two numbers of cores cannot do is listed once', () => {
  const cell = { scenario: 'sticky', case: '', peer: 'nginx', label: 'nginx' };
  const skipped = [1, 2].map((cores) => ({ ...cell, cores, reason: 'no such thing' }));
  assert.equal(toMarkdown(result([], { skipped })).match(/no such thing/g)?.length, 1);
});

test('a result that was stopped says so on top', () => {
  assert.match(toMarkdown(result([rates([1])], { isPartial: true })), /^\*\*Stopped before its end/);
});

test('the headlines leave out other cases and other numbers of cores', () => {
  const rows = [
    rates([1]),
    rates([1], { cores: 2 }),
    rates([1], { scenario: 'idle', case: '1000' }),
    rates([1], { scenario: 'protected', case: 'cache' }),
  ];
  const kept = headlinesOf(result(rows)).rows.map((one) => [one.scenario, one.cores]);
  assert.deepEqual(kept, [
    ['plain', 1],
    ['protected', 1],
  ]);
});

test('the headlines have a line for each case: ours, nginx, and the best of the others by each figure', () => {
  const haproxy = { peer: 'haproxy', label: 'haproxy' };
  const caddy = { peer: 'caddy', label: 'caddy' };
  const quick = row([{ perSecond: 90_000, cpu: 30, p99: 0.5 }], haproxy);
  const lean = row([{ perSecond: 30_000, cpu: 10, p99: 4 }], caddy);
  const table = toHeadlines(result([rates([40_000]), rates([80_000], nginx), quick, lean]));
  assert.match(
    table,
    /\| plain \| \*\*40,000\*\* \| 80,000 \| 90,000 haproxy \| \*\*20\.0\*\* \| 20\.0 \| 10\.0 caddy \| \*\*2\.00\*\* \| 2\.00 \| 0\.50 haproxy \|/,
  );
  assert.equal(table.match(/\| plain/g)?.length, 1);
});

test('in the headlines who had errors is not the best, and our own errors are told', () => {
  const refusing = row([{ perSecond: 900_000, errors: 7 }], { peer: 'caddy', label: 'caddy' });
  const table = toHeadlines(result([row([{ perSecond: 40_000, errors: 3 }]), refusing]));
  assert.match(table, /\| plain \| \*\*40,000 \(3 errors\)\*\* \| {2}\| {2}\|/);
});

test('every line of the headlines has as many cells as their head', () => {
  const lines = toHeadlines(result([rates([1]), rates([1], { scenario: 'protected', case: 'cache' })])).split(
    '\n',
  );
  const cells = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').length);
  assert.deepEqual([...new Set(cells)], [12]);
});

test('the section between the marks is replaced and the rest stays', () => {
  const mark = '<!-- bench: written by `npm run bench -- --publish` -->';
  const text = `before\n${mark}\nold\n<!-- /bench -->\nafter\n`;
  assert.equal(withSection(text, 'new\n'), `before\n${mark}\n\nnew\n\n<!-- /bench -->\nafter\n`);
});

test('a text without the marks is not touched', () => {
  assert.equal(withSection('nothing here', 'new'), null);
});

test('a file is named after date and machine', () => {
  assert.equal(nameOf(result([])), '2029-01-31-1405-intel-xeon-2-cores');
});
