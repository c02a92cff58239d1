// Results as a picture.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toSvg } from '../../../bench/plot.ts';
import { nginx, rates, result, row } from './made-up.ts';

const pair = result([rates([40_000]), rates([80_000], nginx)]);

test('every proxy has its bar, and the longest fills its column', () => {
  const svg = toSvg(pair);
  const lengths = [...svg.matchAll(/class="(portcullis|nginx)"[^>]* width="([\d.]+)"/g)].map((one) => [
    one[1],
    Number(one[2]),
  ]);
  assert.deepEqual(lengths[0], ['portcullis', 79]);
  assert.equal(lengths.find(([name]) => name === 'nginx')?.[1], 158);
});

test('the ratio to nginx stands beside every value but its own', () => {
  const svg = toSvg(pair);
  assert.match(svg, />40,000<tspan class="ratio" dx="6">0\.50×<\/tspan>/);
  assert.match(svg, />80,000<\/text>/);
});

test('where nginx takes no part there is no ratio', () => {
  assert.doesNotMatch(toSvg(result([rates([40_000])])), /tspan/);
});

test('units and directions are named', () => {
  const svg = toSvg(pair);
  for (const words of ['requests/s ↑', 'CPU µs per request ↓', 'p99 ms ↓'])
    assert.ok(svg.includes(words), words);
});

test('it is readable on light and on dark pages', () => {
  assert.match(toSvg(pair), /prefers-color-scheme: dark/);
});

test('at a rate that was asked for, latencies stand in place of rates', () => {
  const paced = row([{ figures: { 'asked/s': 36_000 } }], { scenario: 'latency', case: '70 % load' });
  const svg = toSvg(result([paced]));
  assert.ok(svg.includes('latency, 70 % load · 36,000/s'));
  assert.ok(svg.includes('p99.9 ms ↓'));
  assert.ok(!svg.includes('requests/s ↑'));
});

test('where the driver waits, what was found besides is drawn', () => {
  const svg = toSvg(result([row([{ perSecond: null, cpu: null, figures: { 'reload ms': 120 } }])]));
  assert.ok(svg.includes('reload ms ↓'));
});

test('memory is drawn over time', () => {
  const svg = toSvg(
    result([row([{ perSecond: null, cpu: null, rss: [50, 100], figures: { 'RSS MiB': 100 } }])]),
  );
  assert.match(svg, /<polyline class="line portcullis"[^>]*points="[\d.]+,[\d.]+ [\d.]+,[\d.]+"/);
});

test('growth has no ratio: a share of next to nothing says nothing', () => {
  const memory = (growth: number) => ({
    perSecond: null,
    cpu: null,
    p99: null,
    figures: { 'MiB/min growth': growth },
  });
  const svg = toSvg(result([row([memory(8)]), row([memory(0.1)], nginx)]));
  assert.ok(svg.includes('MiB/min growth ↓') && !svg.includes('tspan'));
});

test('cores are named where there is more than one number of them', () => {
  const svg = toSvg(result([rates([1]), rates([2], { cores: 2 })]));
  assert.ok(svg.includes('plain · 1 core<') && svg.includes('plain · 2 cores<'));
});

test('what a label holds cannot become markup', () => {
  const svg = toSvg(result([rates([1], { label: '<script>&' })]));
  assert.ok(svg.includes('&lt;script>&amp;') && !svg.includes('<script>'));
});
