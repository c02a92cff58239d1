// The v2 syntax: several arguments, templates and the names that v3 dropped.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, checkRows, refuse } from './rows.ts';

test('several arguments mean any of them', () => {
  checkRows(
    [
      ['Host(`a.b`, `EXAMPLE.com`)', {}, true],
      ['HostHeader(`a.b`, `example.com`)', {}, true],
      ['Host(`a.b`, `c.d`)', {}, false],
      ['Host(`*.com`)', {}, false],
      ['Path(`/a`, `/b`)', { routePath: '/b' }, true],
      ['PathPrefix(`/a`, `/b`)', { routePath: '/bc' }, true],
      ['Method(`PUT`, `get`)', {}, true],
      ['ClientIP(`10.0.0.0/8`, `203.0.113.7`)', {}, true],
      ['!Host(`a.b`, `example.com`)', {}, false],
    ],
    'v2',
  );
});

test('templates are anchored to their hosts and segments', () => {
  checkRows(
    [
      ['HostRegexp(`{sub:[a-z]+}.example.com`)', { host: 'ab.example.com' }, true],
      ['HostRegexp(`{sub:[a-z]+}.example.com`)', { host: 'ab.examplexcom' }, false],
      ['HostRegexp(`{sub:[a-z]+}.example.com`)', { host: '1.example.com' }, false],
      ['HostRegexp(`{sub}.example.com`)', { host: 'a.b.example.com' }, false],
      ['HostRegexp(`a.b`, `{host:.+}`)', {}, true],
      ['Path(`/b/{id:[0-9]+}`)', { routePath: '/b/12' }, true],
      ['Path(`/b/{id:[0-9]+}`)', { routePath: '/b/12/c' }, false],
      ['Path(`/b/{id:[0-9]{2}}`)', { routePath: '/b/123' }, false],
      ['PathPrefix(`/b/{id:[0-9]+}`)', { routePath: '/b/12/c' }, true],
      ['PathPrefix(`/b/{id}/d`)', { routePath: '/b/c/d/e' }, true],
      ['PathPrefix(`/b/{id}/d`)', { routePath: '/b/c/c/d' }, false],
      ['PathPrefix(`/{a:x|y}`)', { routePath: '/yz' }, true],
      ['PathPrefix(`/{a:x|y}`)', { routePath: '/zy' }, false],
    ],
    'v2',
  );
});

test('headers and queries go by their old names', () => {
  checkRows(
    [
      ['Headers(`X-A`, `b`)', { headers: ['x-a', 'b'] }, true],
      ['HeadersRegexp(`X-A`, `b|c`)', { headers: ['x-a', 'xcx'] }, true],
      ['Query(`a=b`, `c=d`)', { search: '?c=d&a=b' }, true],
      ['Query(`a=b`, `c=d`)', { search: '?a=b' }, false],
      ['Query(`a=`)', { search: '?a=x' }, true],
      ['Query(`a=`)', { search: '?b=x' }, false],
      ['Query(`a={v:[0-9]+}`)', { search: '?a=12' }, true],
      ['Query(`a={v:[0-9]+}`)', { search: '?a=12x' }, false],
    ],
    'v2',
  );
});

test('what v2 refuses is refused', () => {
  for (const text of [
    'Header(`a`, `b`)',
    'Path(`/a`, `b`)',
    'Path(`/{a`)',
    'Path(`/a}`)',
    'Path(`/{a:}`)',
    'Path(`/{a:(}`)',
    'Query(`a`)',
    'Host(`a`, ``)',
    'Host()',
    'HostRegexp(`ä`)',
    'ClientIP(`10.0.0.1`, `x`)',
  ]) {
    refuse(text, 'v2');
  }
  assert.equal(refuse('Path(`/a`, `b`)', 'v2').offset, 11);
});

test('certificates are wanted for Host, not for HostHeader or templates', () => {
  const rule = accept('Host(`A.b`, `c.d`) || HostHeader(`e.f`) || HostRegexp(`{x:.+}.g.h`)', 'v2');
  assert.deepEqual(rule.domains, ['a.b', 'c.d']);
});
