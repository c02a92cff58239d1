// Cookies that pin a client to a server.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { StickyCookieSpec } from '../../../../src/model/snapshot.ts';
import { addSetCookie, cookieValue, StickyCookie } from '../../../../src/proxy/services/sticky-cookie.ts';
import { fnv1Hex } from '../../../../src/util/fnv.ts';
import { serverOf } from './bench-server.ts';

const spec: StickyCookieSpec = {
  name: 'lb',
  secure: false,
  httpOnly: false,
  sameSite: null,
  maxAge: 0,
  path: '/',
  domain: null,
};
const url = 'http://10.0.0.1:8000';
const value = createHash('sha256').update(url).digest('hex').slice(0, 16);

test('the value is the first 16 hex digits of the SHA-256 of the server URL', () => {
  const server = serverOf(url);
  assert.equal(new StickyCookie(spec, [server]).setCookieFor(server), `lb=${value}; Path=/`);
});

test('every attribute is written as configured', () => {
  const server = serverOf(url);
  const full: StickyCookieSpec = {
    ...spec,
    secure: true,
    httpOnly: true,
    sameSite: 'lax',
    maxAge: 60,
    path: '/a',
    domain: 'example.org',
  };
  assert.equal(
    new StickyCookie(full, [server]).setCookieFor(server),
    `lb=${value}; Path=/a; Domain=example.org; Max-Age=60; HttpOnly; Secure; SameSite=Lax`,
  );
  assert.match(new StickyCookie({ ...spec, maxAge: -1 }, [server]).setCookieFor(server), /; Max-Age=0$/);
});

test('a request is followed by value or by plain URL, among other cookies and header lines', () => {
  const server = serverOf(url);
  const sticky = new StickyCookie(spec, [serverOf('http://10.0.0.2:8000'), server]);
  for (const cookies of [`lb=${value}`, `a=1; lb=${value}; b=2`, `lb=${url}`, `a=1;lb=${value}`]) {
    assert.equal(sticky.serverOf(['host', 'h', 'cookie', cookies]), server, cookies);
  }
  assert.equal(sticky.serverOf(['cookie', 'a=1', 'cookie', `lb=${value}`]), server);
  for (const cookies of ['', 'lb=', 'lb=nobody', `xlb=${value}`, `lbx=${value}`, `a=lb=${value}`]) {
    assert.equal(sticky.serverOf(['cookie', cookies]), null, cookies);
  }
  server.up = false;
  assert.equal(sticky.serverOf(['cookie', `lb=${value}`]), null);
});

test('a cookie is read up to its semicolon', () => {
  assert.equal(cookieValue('a=1;  b=2 ; c=3', 'b'), '2');
  assert.equal(cookieValue(';;;', 'b'), null);
  assert.equal(cookieValue('b', 'b'), null);
});

test('the line replaces one of the same name and leaves the others in their order', () => {
  const headers = ['set-cookie', 'a=1', 'x', 'y', 'set-cookie', 'lb=old; Path=/', 'set-cookie', 'b=2'];
  addSetCookie(headers, 'lb=new; Path=/');
  assert.deepEqual(headers, [
    'x',
    'y',
    'set-cookie',
    'a=1',
    'set-cookie',
    'b=2',
    'set-cookie',
    'lb=new; Path=/',
  ]);
});

test('values of older releases of Traefik are followed, and known as such', () => {
  const server = serverOf(url);
  const sticky = new StickyCookie(spec, [server]);
  const fnv = fnv1Hex(url);
  for (const older of [url, fnv, fnv1Hex(fnv)]) {
    assert.equal(sticky.serverOf(['cookie', `lb=${older}`]), server, older);
    assert.equal(sticky.isOlderForm, true);
  }
  assert.equal(sticky.serverOf(['cookie', `lb=${value}`]), server);
  assert.equal(sticky.isOlderForm, false);
});
