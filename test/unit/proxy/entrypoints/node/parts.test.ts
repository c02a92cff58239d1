// The small parts of the node engine: targets, upgrades, answer fields, rates.

import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { answerFields, reportedLength } from '../../../../../src/proxy/entrypoints/node/answer-head.ts';
import { Rate } from '../../../../../src/proxy/entrypoints/node/rate.ts';
import { readWireTarget } from '../../../../../src/proxy/entrypoints/node/request-target.ts';
import { asksToSwitch } from '../../../../../src/proxy/entrypoints/node/upgrade.ts';

test('an origin-form target is cut at its first question mark', () => {
  assert.deepEqual(readWireTarget('/a?b?c'), { path: '/a', query: 'b?c', authority: null });
  assert.deepEqual(readWireTarget('//a/b'), { path: '//a/b', query: '', authority: null });
});

test('an absolute-form target gives the authority, and a path even where it has none', () => {
  assert.deepEqual(readWireTarget('http://a:1/b?c'), { path: '/b', query: 'c', authority: 'a:1' });
  assert.deepEqual(readWireTarget('HTTPS://a?c'), { path: '/', query: 'c', authority: 'a' });
  assert.deepEqual(readWireTarget('http://u@h/'), { path: '/', query: '', authority: 'u@h' });
  assert.deepEqual(readWireTarget('ftp://a/b'), { path: 'ftp://a/b', query: '', authority: null });
});

function asking(upgrade: string | undefined, more: object = {}, method = 'GET'): IncomingMessage {
  return { method, httpVersionMinor: 1, headers: { upgrade, ...more } } as unknown as IncomingMessage;
}

test('no HTTP and no TLS is ever tunnelled', () => {
  for (const protocol of [
    'h2c',
    'H2C',
    'h2',
    'HTTP/2.0',
    'http/1.1',
    'TLS/1.2',
    'websocket, h2c',
    '',
    'a b',
  ]) {
    assert.equal(asksToSwitch(asking(protocol)), false, protocol);
  }
  assert.equal(asksToSwitch(asking(undefined)), false);
});

test('one other protocol is tunnelled, a WebSocket only with its key', () => {
  assert.equal(asksToSwitch(asking('SPDY/3.1')), true);
  assert.equal(asksToSwitch(asking('SPDY/3.1', {}, 'POST')), true);
  assert.equal(asksToSwitch(asking('websocket')), false);
  assert.equal(asksToSwitch(asking('WebSocket', { 'sec-websocket-key': 'x' })), true);
  assert.equal(asksToSwitch(asking('websocket', { 'sec-websocket-key': 'x' }, 'POST')), false);
});

test('fields of the connection never come from an answer', () => {
  const headers = ['a', '1', 'connection', 'x', 'transfer-encoding', 'gzip', 'content-length', '9', 'a', '2'];
  assert.deepEqual(answerFields(headers, null), ['a', '1', 'a', '2']);
  assert.deepEqual(answerFields(headers, 3), ['a', '1', 'a', '2', 'content-length', '3']);
  assert.equal(reportedLength(headers, 200), 9);
  assert.equal(reportedLength(headers, 204), null);
});

test('a rate is over only beyond its bound within one second', () => {
  const rate = new Rate(2);
  assert.deepEqual(
    [0, 10, 20, 1500, 1510, 1520].map((now) => rate.isOver(now)),
    [false, false, true, false, false, true],
  );
});
