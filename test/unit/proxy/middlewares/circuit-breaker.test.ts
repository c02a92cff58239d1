// The circuit breaker's window and states, on a clock of the test's own.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Breaker, type BreakerState } from '../../../../src/proxy/middlewares/circuit-breaker/breaker.ts';
import { parseCondition } from '../../../../src/proxy/middlewares/circuit-breaker/expression.ts';
import { build } from './workbench.ts';

const failing = 'ResponseCodeRatio(500, 600, 0, 600) > 0.5';

function open(expression = failing): { breaker: Breaker; states: BreakerState[] } {
  const states: BreakerState[] = [];
  const options = { checkPeriod: 100, fallbackDuration: 1000, recoveryDuration: 1000 };
  const changed = (state: BreakerState): void => void states.push(state);
  return { breaker: new Breaker({ options, ...parseCondition(expression), changed }), states };
}

describe('the window', () => {
  test('ratios count by status, the upper end left out, and are 0 without answers', () => {
    const { window, condition } = parseCondition('ResponseCodeRatio(500, 503, 200, 600) == 0.5');
    assert.equal(condition(window), false);
    for (const status of [500, 502, 503, 200, 199, 600]) window.record(status, 1, 0);
    assert.equal(condition(window), true);
  });

  test('network errors are 502 and 504', () => {
    const { window } = parseCondition('NetworkErrorRatio() > 0');
    assert.equal(window.networkErrorRatio(), 0);
    for (const status of [502, 504, 500, 200]) window.record(status, 1, 0);
    assert.equal(window.networkErrorRatio(), 0.5);
  });

  test('what is ten seconds old is forgotten, cell by cell', () => {
    const { window } = parseCondition('NetworkErrorRatio() > 0');
    window.record(502, 1, 500);
    window.record(200, 1, 3500);
    assert.equal(window.networkErrorRatio(), 0.5);
    window.record(200, 1, 9999);
    assert.equal(window.networkErrorRatio(), 1 / 3);
    window.advance(10_000);
    assert.equal(window.networkErrorRatio(), 0);
    window.record(502, 1, 1e9);
    assert.equal(window.networkErrorRatio(), 1);
  });

  test('quantiles of latencies are at most 3 % off, whatever the size', () => {
    const { window } = parseCondition('LatencyAtQuantileMS(50.0) > 0');
    assert.equal(window.latencyAt(50), 0);
    for (let ms = 1; ms <= 1000; ms++) window.record(200, ms, 0);
    for (const [quantile, expected] of [
      [50, 500],
      [95, 950],
      [100, 1000],
    ] as const) {
      const found = window.latencyAt(quantile);
      assert.ok(Math.abs(found - expected) <= expected * 0.03, `${quantile}: ${found}`);
    }
    for (const odd of [0, -1, Number.NaN, 1e12]) window.record(200, odd, 0);
  });

  test('expressions have a bound on what they count', () => {
    const many = Array.from({ length: 17 }, () => 'NetworkErrorRatio() > 0').join(' || ');
    assert.throws(() => parseCondition(many), /more than 16 functions/);
    assert.throws(() => parseCondition('LatencyAtQuantileMS(101) > 0'), /quantile from 0 to 100/);
  });
});

describe('the breaker', () => {
  test('looks at its condition once a period', () => {
    const { breaker, states } = open();
    breaker.answered(200, 1, 0);
    breaker.answered(500, 1, 50);
    breaker.answered(500, 1, 99);
    assert.deepEqual(states, []);
    breaker.answered(500, 1, 100);
    assert.deepEqual(states, ['tripped']);
  });

  test('refuses all while it is open, lets a share that grows to a half pass, then everything', () => {
    const { breaker, states } = open();
    breaker.answered(500, 1, 0);
    for (let now = 0; now < 1000; now += 10) assert.equal(breaker.admits(now), false);
    const passed = [0, 0];
    for (let now = 1000; now < 2000; now++) {
      if (breaker.admits(now)) passed[now < 1500 ? 0 : 1]! += 1;
    }
    assert.ok(passed[0]! > 50 && passed[0]! < 200, `${passed[0]} of the first half`);
    assert.ok(passed[1]! > 250 && passed[1]! < 500, `${passed[1]} of the second half`);
    assert.equal(breaker.admits(2001), true);
    assert.deepEqual(states, ['tripped', 'recovering', 'standby']);
  });

  test('opens again when it goes wrong while it recovers, and starts from nothing', () => {
    const { breaker, states } = open();
    breaker.answered(500, 1, 0);
    breaker.admits(1500);
    breaker.answered(200, 1, 1600);
    assert.equal(breaker.state, 'recovering');
    breaker.answered(500, 1, 1800);
    breaker.answered(500, 1, 1900);
    assert.deepEqual(states, ['tripped', 'recovering', 'tripped']);
    assert.equal(breaker.admits(2899), false);
  });
});

test('options that cannot work are refused', () => {
  assert.throws(() => build('circuitBreaker', {}));
  assert.throws(
    () => build('circuitBreaker', { expression: 'Latency() > 1' }),
    /there is no function Latency/,
  );
  assert.throws(() => build('circuitBreaker', { expression: failing, responseCode: 99 }), /200 to 599/);
});
