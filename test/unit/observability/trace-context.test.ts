// Trace context in headers: what is read, what is taken for absent, what is written.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Propagator } from '../../../src/model/tracing.ts';
import { readContext, writeContext, writeUnsampled } from '../../../src/observability/trace-context.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';
const w3c: readonly Propagator[] = ['tracecontext'];

test('a traceparent is read to the letter', () => {
  const read = (value: string) => readContext(['traceparent', value], w3c);
  assert.deepEqual(read(`00-${trace}-${span}-01`), {
    traceId: trace,
    spanId: span,
    sampled: true,
    state: '',
  });
  assert.equal(read(`00-${trace}-${span}-00`)?.sampled, false);
  assert.equal(read(`00-${trace}-${span}-03`)?.sampled, true);
  assert.equal(read(`01-${trace}-${span}-01-more`)?.traceId, trace);
  for (const wrong of [
    '',
    'x',
    `ff-${trace}-${span}-01`,
    `00-${trace}-${span}-01-more`,
    `01-${trace}-${span}-01more`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace}-${span}-0x`,
    `00_${trace}-${span}-01`,
    `01-${trace}-${span}-01-${'x'.repeat(200)}`,
  ])
    assert.equal(read(wrong), null, wrong);
});

test('two traceparents are none, several tracestates are one, a long or odd one is dropped', () => {
  const parent = `00-${trace}-${span}-01`;
  assert.equal(readContext(['traceparent', parent, 'traceparent', parent], w3c), null);
  const withState = (...states: string[]) =>
    readContext(['traceparent', parent, ...states.flatMap((state) => ['tracestate', state])], w3c)?.state;
  assert.equal(withState('a=1', 'b=2'), 'a=1,b=2');
  assert.equal(withState(`a=${'x'.repeat(600)}`), '');
  assert.equal(withState('a=\x07'), '');
});

test('B3 is read in both forms, with short trace ids and decisions alone', () => {
  const b3 = (value: string) => readContext(['b3', value], ['b3']);
  assert.equal(b3(`${trace}-${span}-1`)?.sampled, true);
  assert.equal(b3(`${trace}-${span}-d`)?.sampled, true);
  assert.equal(b3(`${trace}-${span}`)?.sampled, null);
  assert.equal(b3(`${span}-${span}-0-${span}`)?.traceId, `${'0'.repeat(16)}${span}`);
  assert.deepEqual(b3('0'), { traceId: '', spanId: '', sampled: false, state: '' });
  for (const wrong of ['', 'x', `${trace}`, `${trace}-${span}-1-junk`, `${trace}x-${span}`])
    assert.equal(b3(wrong), null);
  const multi = (...headers: string[]) => readContext(headers, ['b3multi']);
  assert.equal(multi('x-b3-traceid', trace, 'x-b3-spanid', span, 'x-b3-flags', '1')?.sampled, true);
  assert.equal(multi('x-b3-sampled', 'false')?.sampled, false);
  assert.equal(multi('x-b3-traceid', trace), null);
});

test('the first propagator that finds something decides', () => {
  const headers = ['b3', '0', 'traceparent', `00-${trace}-${span}-01`];
  assert.equal(readContext(headers, ['tracecontext', 'b3'])?.sampled, true);
  assert.equal(readContext(headers, ['b3', 'tracecontext'])?.sampled, false);
});

test('what is written replaces all that was there, in every form', () => {
  const headers = [
    'a',
    '1',
    'traceparent',
    'x',
    'b3',
    'y',
    'x-b3-parentspanid',
    'z',
    'tracestate',
    's',
    'b',
    '2',
  ];
  writeContext(headers, { traceId: trace, spanId: span, state: 'k=v' }, ['tracecontext', 'b3', 'b3multi']);
  assert.deepEqual(headers, [
    'a',
    '1',
    'b',
    '2',
    'traceparent',
    `00-${trace}-${span}-01`,
    'tracestate',
    'k=v',
    'b3',
    `${trace}-${span}-1`,
    'x-b3-traceid',
    trace,
    'x-b3-spanid',
    span,
    'x-b3-sampled',
    '1',
  ]);
});

test('a request that is not traced says so, with ids that are ids', () => {
  const headers = ['traceparent', 'junk'];
  writeUnsampled(headers, ['tracecontext', 'b3', 'b3multi']);
  assert.equal(readContext(headers, w3c)?.sampled, false);
  assert.deepEqual(headers.slice(2), ['b3', '0', 'x-b3-sampled', '0']);
});

test('no text makes the reader throw, and what it takes is well formed', () => {
  const names = ['traceparent', 'tracestate', 'b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled'];
  const value = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f-]{0,80}$/));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...names), value)), (lines) => {
      const found = readContext(lines.flat(), ['tracecontext', 'b3', 'b3multi']);
      if (found === null || found.traceId === '') return;
      assert.match(found.traceId, /^[0-9a-f]{32}$/);
      assert.match(found.spanId, /^[0-9a-f]{16}$/);
      assert.ok(found.state.length <= 512);
    }),
  );
});
