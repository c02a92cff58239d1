// The flags of the bench, and how long it will take.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSeconds, remaining, type Step, stepsOf } from '../../../bench/estimate.ts';
import { type Options, readFlags } from '../../../bench/flags.ts';
import { figuresOf } from '../../../bench/drivers/mixed.ts';
import { scenarios } from '../../../bench/scenarios/list.ts';
import { peers } from '../../../bench/peers/list.ts';

function options(...args: string[]): Options {
  const command = readFlags(args);
  assert.equal(command.name, 'run');
  return (command as { readonly options: Options }).options;
}

test('without flags everything is measured in three rounds of two seconds', () => {
  const { rounds, seconds, minutes, cores, scenarios: all } = options();
  assert.deepEqual({ rounds, seconds, minutes, cores }, { rounds: 3, seconds: 2, minutes: 1, cores: [1] });
  assert.equal(all.length, scenarios.length);
});

test('quick measures a few scenarios, unless others are named', () => {
  assert.deepEqual(
    options('--quick').scenarios.map((one) => one.name),
    ['plain', 'latency', 'protected'],
  );
  assert.deepEqual(
    options('--quick', '--scenario', 'idle').scenarios.map((one) => one.name),
    ['idle'],
  );
});

test('ours is among the peers whoever is named', () => {
  assert.deepEqual(
    options('--peer', 'nginx').peers.map((one) => one.name),
    ['portcullis', 'nginx'],
  );
});

test('results go where git does not look, unless they are published', () => {
  assert.match(options().out, /\.tmp\/bench$/);
  assert.match(options('--publish').out, /bench\/results$/);
});

test('a scenario nobody knows is refused with the names of those there are', () => {
  assert.throws(() => readFlags(['--scenario', 'plane']), /no plane; there are: plain, /);
});

test('numbers must be numbers', () => {
  assert.throws(() => readFlags(['--rounds', '1.5']), /whole number/);
  assert.throws(() => readFlags(['--seconds', '0']), /above 0/);
  assert.throws(() => readFlags(['--cores', '1,x']), /above 0/);
  assert.equal(options('--minutes', '0.5').minutes, 0.5);
});

test('a word that is no flag is refused, except for the names of micro benches', () => {
  assert.throws(() => readFlags(['plain']), /what is plain/);
  assert.deepEqual(readFlags(['--micro', 'rule']), { name: 'micro', only: ['rule'] });
});

test('an earlier result is published only when that is asked for', () => {
  assert.throws(() => readFlags(['--from', 'x.json']), /--publish/);
  assert.deepEqual(readFlags(['--publish', '--from', 'x.json']), { name: 'republish', from: 'x.json' });
});

test('the whole suite with its defaults fits into twelve minutes', () => {
  const { rounds, seconds, minutes } = options();
  const debian = peers.filter((peer) => peer.name !== 'traefik');
  const steps = stepsOf(scenarios, [1], debian, { rounds, seconds, minutes });
  assert.ok(remaining(steps, 0, 0) < 720, formatSeconds(remaining(steps, 0, 0)));
});

test('a cell is a peer that takes part', () => {
  const steps = stepsOf(scenarios, [1, 2], peers, { rounds: 1, seconds: 1, minutes: 1 });
  const cached = steps.filter((step) => step.scenario.name === 'protected' && step.one.name === 'cache');
  assert.deepEqual(
    cached.map((step) => [step.cores, step.cells]),
    [
      [1, 2],
      [2, 2],
    ],
  );
});

test('what is left is corrected by how it went so far', () => {
  const steps = [10, 20, 30].map((seconds) => ({ seconds }) as Step);
  assert.equal(remaining(steps, 0, 0), 60);
  assert.equal(remaining(steps, 1, 20), 100);
  assert.equal(remaining(steps, 3, 60), 0);
});

test('durations are told in words', () => {
  assert.equal(formatSeconds(12.4), '12 s');
  assert.equal(formatSeconds(83), '1 min 25 s');
  assert.equal(formatSeconds(120), '2 min');
});

test('memory that settles is flat, and memory that grows is told by the minute', () => {
  const settling = Array.from({ length: 30 }, (_, i) => (i < 10 ? 50 + i * 5 : 100));
  assert.deepEqual(figuresOf(settling, 1), { 'RSS MiB': 100, 'MiB/min growth': 0 });
  const growing = Array.from({ length: 60 }, (_, i) => 100 + i);
  assert.equal(figuresOf(growing, 2)['MiB/min growth'], 30);
});
