// Many providers, one list of sources, and the throttle.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyConfig } from '../../../src/config/dynamic/provider-config.ts';
import type { ProviderConfig } from '../../../src/config/dynamic/provider-config.ts';
import { createAggregate } from '../../../src/providers/aggregate.ts';
import type { Emit, Provider } from '../../../src/providers/provider.ts';

function config(provider: string, source: string): ProviderConfig {
  return { provider, parts: [emptyConfig(source)] };
}

function source(name: string): Provider & { push(source: string, isUrgent?: boolean): void } {
  let emit: Emit | null = null;
  return {
    name,
    start(onUpdate) {
      emit = onUpdate;
      onUpdate(config(name, 'first'));
    },
    reload() {},
    close() {},
    push: (text, isUrgent = false) => emit?.(config(name, text), isUrgent),
  };
}

function run(throttle: number) {
  const [a, b] = [source('a'), source('b')];
  const seen: string[] = [];
  const aggregate = createAggregate({
    providers: [a, b],
    fixed: [config('internal', 'always')],
    throttle,
    onChange: (sources) =>
      seen.push(sources.map(({ provider, parts }) => `${provider}:${parts[0]?.source}`).join(' ')),
    onDiagnostics: () => {},
  });
  aggregate.start();
  return { a, b, seen, aggregate };
}

test('the start is one change with everything in it', () => {
  const { seen, aggregate } = run(1000);
  aggregate.close();
  assert.deepEqual(seen, ['internal:always a:first b:first']);
});

test('without a throttle every update goes on, with the last value of the others', () => {
  const { a, b, seen, aggregate } = run(0);
  a.push('2');
  b.push('2');
  aggregate.close();
  a.push('3');
  assert.deepEqual(seen.slice(1), ['internal:always a:2 b:first', 'internal:always a:2 b:2']);
});

test('what is urgent goes at once, replaces what waited, and holds nothing else back', async () => {
  const { a, seen, aggregate } = run(60);
  a.push('waits');
  a.push('urgent', true);
  assert.deepEqual(seen.slice(1), ['internal:always a:urgent b:first']);
  a.push('after');
  assert.equal(seen.length, 2);
  await new Promise((resolve) => setTimeout(resolve, 90));
  aggregate.close();
  assert.deepEqual(seen.slice(2), ['internal:always a:after b:first']);
});

test('within a window only the latest update goes on, at its end', async () => {
  const { a, seen, aggregate } = run(60);
  a.push('2');
  a.push('3');
  a.push('4');
  assert.equal(seen.length, 1);
  const deadline = Date.now() + 2000;
  while (seen.length < 2 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(seen.slice(1), ['internal:always a:4 b:first']);
  aggregate.close();
});

test('closing drops what waits', async () => {
  const { a, seen, aggregate } = run(20);
  a.push('2');
  aggregate.close();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(seen.length, 1);
});
