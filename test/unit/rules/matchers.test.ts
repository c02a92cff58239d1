// What each matcher of the v3 syntax takes and leaves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainRule } from '../../../src/rules/explain.ts';
import { accept, checkRows, subject } from './rows.ts';

test('Host compares whole hosts in any case, with or without a final dot', () => {
  checkRows([
    ['Host(`example.com`)', {}, true],
    ['Host(`EXAMPLE.com`)', {}, true],
    ['Host(`example.com.`)', {}, true],
    ['Host(`example.com`)', { host: 'www.example.com' }, false],
    ['Host(`10::10`)', { host: '10::10' }, true],
    ['Host(`[10::10]`)', { host: '10::10' }, true],
    ['Host(`.`)', { host: '' }, false],
    ['!Host(`a`)', { host: '' }, true],
  ]);
});

test('a wildcard takes exactly one label, a lone star everything', () => {
  checkRows([
    ['Host(`*.example.com`)', { host: 'a.example.com' }, true],
    ['Host(`*.Example.com`)', { host: 'a.example.com' }, true],
    ['Host(`*.example.com`)', { host: 'a.b.example.com' }, false],
    ['Host(`*.example.com`)', { host: 'example.com' }, false],
    ['Host(`*.example.com`)', { host: '.example.com' }, false],
    ['Host(`*.example.com`)', { host: 'xexample.com' }, false],
    ['Host(`a.*.com`)', { host: 'a.b.com' }, false],
    ['Host(`*`)', {}, true],
    ['Host(`*`)', { host: '' }, true],
  ]);
});

test('HostRegexp is not anchored and one that takes the empty text takes every host', () => {
  checkRows([
    ['HostRegexp(`ample`)', {}, true],
    ['HostRegexp(`^ample`)', {}, false],
    ['HostRegexp(`^Example`)', {}, false],
    ['HostRegexp(`(?i)^Example`)', {}, true],
    ['HostRegexp(`^(a.b)?$`)', {}, true],
    ['HostRegexp(`{host:.+}`)', {}, false],
  ]);
});

test('paths are compared in case, whole or as raw prefixes', () => {
  checkRows([
    ['Path(`/api`)', { routePath: '/api' }, true],
    ['Path(`/api`)', { routePath: '/api/' }, false],
    ['Path(`/api`)', { routePath: '/API' }, false],
    ['Path(`/a b`)', { routePath: '/a b' }, true],
    ['Path(`/a/b`)', { routePath: '/a%2Fb' }, false],
    ['PathPrefix(`/a%2Fb`)', { routePath: '/a%2Fb/c' }, true],
    ['PathPrefix(`/api`)', { routePath: '/apix' }, true],
    ['PathPrefix(`/api`)', { routePath: '/ap' }, false],
    ['PathRegexp(`pi$`)', { routePath: '/api' }, true],
    ['PathRegexp(`^/Api`)', { routePath: '/api' }, false],
  ]);
});

test('Method is upper-cased in the rule and taken as it comes in the request', () => {
  checkRows([
    ['Method(`get`)', {}, true],
    ['Method(`GET`)', { method: 'get' }, false],
    ['Method(`POST`)', {}, false],
  ]);
});

test('Header asks every value line whole', () => {
  const headers = ['x-kind', 'a, b', 'x-kind', 'c', 'x-name', 'J\u00c3\u00bcrgen'];
  checkRows([
    ['Header(`X-Kind`, `c`)', { headers }, true],
    ['Header(`x-KIND`, `a, b`)', { headers }, true],
    ['Header(`X-Kind`, `a`)', { headers }, false],
    ['Header(`X-Kind`, `C`)', { headers }, false],
    ['Header(`X-Name`, `Jürgen`)', { headers }, true],
    ['HeaderRegexp(`X-Kind`, `b$`)', { headers }, true],
    ['HeaderRegexp(`X-Kind`, `^b`)', { headers }, false],
    ['HeaderRegexp(`X-Name`, `^J.rgen$`)', { headers }, true],
    ['HeaderRegexp(`X-None`, `.*`)', { headers }, false],
    ['Header(`Host`, `example.com`)', { headers: ['host', 'example.com'] }, false],
    ['HeaderRegexp(`Host`, `.*`)', { headers: ['host', 'example.com'] }, false],
  ]);
});

test('Query decodes values, and one argument asks for an empty one', () => {
  checkRows([
    ['Query(`k`)', { search: '?k' }, true],
    ['Query(`k`)', { search: '?k=' }, true],
    ['Query(`k`)', { search: '?k=1' }, false],
    ['Query(`k`)', { search: '?k=1&k' }, true],
    ['Query(`k`)', {}, false],
    ['Query(`k`, `v`)', { search: '?a=b&k=v' }, true],
    ['Query(`k`, `v`)', { search: '?a=b;k=v' }, true],
    ['Query(`k`, `v`)', { search: '?kk=v' }, false],
    ['Query(`k`, `a b`)', { search: '?k=a+b' }, true],
    ['Query(`k`, `a b`)', { search: '?k=a%20b' }, true],
    ['Query(`k`, `ä&`)', { search: '?k=%C3%A4%26' }, true],
    ['Query(`ä k`, `v`)', { search: '?%C3%A4+k=v' }, true],
    ['Query(`k`, `=v=`)', { search: '?k==v=' }, true],
    ['Query(`k`, `%zz`)', { search: '?k=%zz' }, false],
    ['Query(`k`, `v`)', { search: '?k=%zz&k=v' }, true],
    ['QueryRegexp(`k`, `^[0-9]+$`)', { search: '?k=x&k=12' }, true],
    ['QueryRegexp(`k`, `^[0-9]+$`)', { search: '?k=x' }, false],
    ['QueryRegexp(`k`)', { search: '?k=x' }, false],
    ['QueryRegexp(`k`)', { search: '?k' }, true],
  ]);
});

test('ClientIP asks the peer and nobody else', () => {
  const headers = ['x-forwarded-for', '10.0.0.1'];
  checkRows([
    ['ClientIP(`203.0.113.7`)', {}, true],
    ['ClientIP(`203.0.113.0/24`)', {}, true],
    ['ClientIP(`10.0.0.0/8`)', { headers }, false],
    ['ClientIP(`2001:db8::/32`)', { peer: '2001:db8::1' }, true],
    ['ClientIP(`2001:db8::/32`)', { peer: '' }, false],
  ]);
});

test('certificates are wanted for every Host of a rule, negated ones too', () => {
  const rule = accept('Host(`A.b`) && !Host(`c.d`) || (Host(`*.e.f`) || Host(`a.b`)) || HostRegexp(`^x`)');
  assert.deepEqual(rule.domains, ['a.b', 'c.d', '*.e.f']);
  assert.deepEqual(accept('Host(`*`)').domains, ['*']);
});

test('what is accepted but never does what it seems to is warned about', () => {
  const odd = [
    'Host(`a.b:8080`)',
    'Host(`a.*.b`)',
    'Host(`a.b/c`)',
    'HostRegexp(`{any:.+}`)',
    'HostRegexp(`.*`)',
    'Query(`k`)',
    'Header(`Host`, `a`)',
    'Path(`/a%20b`)',
    'PathPrefix(`/a%2fb`)',
  ];
  for (const text of odd) assert.equal(accept(text).warnings.length, 1, text);
  for (const text of [
    'Host(`*.a.b`)',
    'Host(`10::10`)',
    'HostRegexp(`^.+$`)',
    'Path(`/a%2Fb`)',
    'Query(`k`, `v`)',
  ]) {
    assert.deepEqual(accept(text).warnings, [], text);
  }
});

test('an explanation names the first matcher that failed and what it saw', () => {
  const rule = accept('Host(`example.com`) && (Path(`/a`) || Path("/b")) && !Method(`GET`)');
  assert.deepEqual(explainRule(rule, subject({ routePath: '/a', method: 'PUT' })), {
    matched: true,
    failed: null,
  });
  assert.equal(explainRule(rule, subject({ host: 'x' })).failed, 'Host(`example.com`): host is "x"');
  assert.equal(explainRule(rule, subject({ routePath: '/c' })).failed, 'Path(`/a`): path is "/c"');
  assert.equal(explainRule(rule, subject({ routePath: '/b' })).failed, '!Method(`GET`): method is "GET"');
});

test('an explanation holds no secrets and no endless client text', () => {
  const secret = 's3cret';
  const rule = accept('Header(`Authorization`, `x`) || Query(`token`, `x`)');
  const asked = subject({ headers: ['authorization', secret], search: `?token=${secret}` });
  assert.doesNotMatch(explainRule(rule, asked).failed ?? '', /s3cret/);
  const long = explainRule(accept('Path(`/a`)'), subject({ routePath: `/${'b'.repeat(5_000)}` }));
  assert.ok((long.failed ?? '').length < 300);
});

test('a WebSocket handshake has the headers that make it one', () => {
  const handshake = { isUpgrade: true };
  checkRows([
    ['Header(`Upgrade`, `websocket`)', handshake, true],
    ['Header(`Upgrade`, `websocket`)', {}, false],
    ['Header(`Upgrade`, `h2c`)', handshake, false],
    ['HeaderRegexp(`upgrade`, `(?i)^WebSocket$`)', handshake, true],
    ['Header(`Connection`, `Upgrade`)', handshake, true],
    ['HeaderRegexp(`Connection`, `(?i)upgrade`)', handshake, true],
    ['HeaderRegexp(`Connection`, `.*`)', {}, false],
    ['!Header(`Upgrade`, `websocket`)', handshake, false],
    ['Header(`constructor`, `x`)', handshake, false],
  ]);
});

test('a header that rules never see is warned of', () => {
  assert.match(accept('Header(`Content-Length`, `0`)').warnings.join(), /never matches/);
  assert.deepEqual(accept('Header(`Upgrade`, `websocket`)').warnings, []);
});
