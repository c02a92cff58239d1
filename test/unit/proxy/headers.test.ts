// Header lists edited in place.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appendHeader,
  canonicalName,
  deleteHeader,
  foldName,
  getHeader,
  getHeaderValues,
  hasHeader,
  joinHeader,
  setHeader,
} from '../../../src/proxy/headers.ts';

const list = (): string[] => ['a', '1', 'b', '2', 'a', '3', 'c', ''];

test('headers are found by name, first, all, or joined', () => {
  assert.equal(getHeader(list(), 'a'), '1');
  assert.equal(getHeader(list(), 'c'), '');
  assert.equal(getHeader(list(), '1'), null);
  assert.deepEqual(getHeaderValues(list(), 'a'), ['1', '3']);
  assert.equal(joinHeader(list(), 'a'), '1, 3');
  assert.equal(joinHeader(list(), 'x'), null);
  assert.equal(hasHeader(list(), 'c'), true);
  assert.equal(hasHeader(list(), '3'), false);
});

test('headers are dropped, replaced and added in place', () => {
  const dropped = list();
  deleteHeader(dropped, 'a');
  assert.deepEqual(dropped, ['b', '2', 'c', '']);
  const replaced = list();
  setHeader(replaced, 'a', '9');
  assert.deepEqual(replaced, ['a', '9', 'b', '2', 'c', '']);
  setHeader(replaced, 'd', '4');
  appendHeader(replaced, 'd', '5');
  assert.deepEqual(replaced, ['a', '9', 'b', '2', 'c', '', 'd', '4', 'd', '5']);
});

test('names that a CGI-like server cannot tell apart fold to one, others do not', () => {
  for (const spelled of ['X-User-Id', 'x_user_id', 'X.User.Id', "X!User'Id", 'X~USER|ID']) {
    assert.equal(foldName(spelled), 'x-user-id', spelled);
  }
  for (const other of ['x-userid', 'x-user--id', 'xuser-id', 'x-user-id-'])
    assert.notEqual(foldName(other), 'x-user-id');
});

test('names are spelled with capitals for HTTP/1 servers', () => {
  assert.equal(canonicalName('x-user-id'), 'X-User-Id');
  assert.equal(canonicalName('etag'), 'Etag');
  assert.equal(canonicalName('WWW-AUTHENTICATE'), 'Www-Authenticate');
});
