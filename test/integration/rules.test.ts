// Rules on the wire: which router answers a request, after everything the entry point does to it. Each
// router says its name in a redirect's Location, so that no server is needed to tell them apart.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { type Ask, ask } from '../support/ask.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const rules: Readonly<Record<string, string | object>> = {
  exact: 'Host(`exact.test`)',
  wildcard: 'Host(`*.wild.test`)',
  pattern: 'HostRegexp(`^[a-z]+[0-9]\\.re\\.test$`)',
  // The v2 form: read as a plain expression that matches no host.
  template: 'HostRegexp(`{sub:[a-z]+}.template.test`)',
  templatev2: { rule: 'HostRegexp(`{sub:[a-z]+}.v2.test`)', ruleSyntax: 'v2' },
  severalv2: { rule: 'Host(`one.test`, `two.test`) && Path(`/a`, `/b/{id:[0-9]+}`)', ruleSyntax: 'v2' },
  several: 'Host(`three.test`, `four.test`)',
  path: 'Host(`p.test`) && Path(`/a b`)',
  slash: 'Host(`p.test`) && PathPrefix(`/a%2Fb`)',
  umlaut: 'Host(`p.test`) && Path(`/ü`)',
  prefix: 'Host(`p.test`) && PathPrefix(`/api`)',
  inner: 'Host(`p.test`) && PathPrefix(`/api/deep`)',
  forced: { rule: 'Host(`p.test`) && PathPrefix(`/api/deep/forced`)', priority: 1 },
  method: 'Host(`m.test`) && Method(`put`)',
  header: 'Host(`h.test`) && Header(`x-key`, `a, b`)',
  headers: 'Host(`h.test`) && HeaderRegexp(`X-Re`, `^v[0-9]`)',
  hostheader: 'Host(`h.test`) && Header(`Host`, `h.test`)',
  websocket: 'Host(`ws.test`) && Header(`Upgrade`, `websocket`) && HeaderRegexp(`Connection`, `(?i)upgrade`)',
  notwebsocket: 'Host(`ws.test`) && !Header(`upgrade`, `websocket`)',
  query: 'Host(`q.test`) && Query(`a`, `1`)',
  empty: 'Host(`q.test`) && Query(`flag`)',
  queries: 'Host(`q.test`) && QueryRegexp(`re`, `^x`)',
  peer: 'Host(`c.test`) && ClientIP(`127.0.0.0/8`)',
  spelled: 'host("spelled.test") && PATHPREFIX("/\\x61") && !(Pathprefix(`/ax`) || method(`POST`))',
  tieb: 'Host(`tie.test`) && Path(`/`)',
  tiea: 'Host(`tie.test`) && Path(`/`)',
};

describe('rules on the wire', () => {
  let gateway: TestGateway;
  before(async () => {
    const names = Object.keys(rules);
    const routers = names.map((name) => {
      const written = rules[name] as string | object;
      const router = typeof written === 'string' ? { rule: written } : written;
      return [name, { ...router, service: 'noop@internal', middlewares: [name] }];
    });
    const replacement = (name: string): object => ({
      redirectRegex: { regex: '.*', replacement: `http://${name}/` },
    });
    gateway = await startGateway({
      static: { entryPoints: { web: { forwardedHeaders: { insecure: true } } } },
      dynamic: {
        http: {
          routers: Object.fromEntries(routers),
          middlewares: Object.fromEntries(names.map((name) => [name, replacement(name)])),
        },
      },
    });
  });
  after(() => gateway?.stop());

  /** Name of the router that answers, or the status when none does. */
  async function winner(host: string, target = '/', more: Partial<Ask> = {}): Promise<string | number> {
    const { status, headers } = await ask(gateway.port('web'), { host, target, ...more });
    const location = headers.find((line) => line.startsWith('location: http://'));
    return location === undefined ? status : location.slice('location: http://'.length, -1);
  }

  async function assertWinners(
    rows: readonly (readonly [string | number, string, string?, Partial<Ask>?])[],
  ): Promise<void> {
    for (const [expected, ...request] of rows) {
      assert.equal(await winner(...request), expected, JSON.stringify(request));
    }
  }

  test('hosts', async () => {
    await assertWinners([
      ['exact', 'exact.test'],
      ['exact', 'EXACT.Test:8080'],
      ['exact', 'exact.test.'],
      [404, 'www.exact.test'],
      ['wildcard', 'a.wild.test'],
      [404, 'a.b.wild.test'],
      [404, 'wild.test'],
      ['pattern', 'A1.RE.test'],
      [404, 'a.re.test'],
      [404, 'a.template.test'],
      ['templatev2', 'a.v2.test'],
      [404, 'a1.v2.test'],
      [404, 'three.test'],
      ['severalv2', 'two.test', '/a'],
      ['severalv2', 'one.test', '/b/12'],
      [404, 'one.test', '/b/x'],
      [404, 'one.test', '/b/12/'],
    ]);
  });

  test('paths, as they are after the entry point has tidied them up', async () => {
    await assertWinners([
      ['path', 'p.test', '/a%20b'],
      [404, 'p.test', '/a%20b/'],
      ['slash', 'p.test', '/a%2fb/c'],
      [404, 'p.test', '/a/b'],
      ['umlaut', 'p.test', '/%C3%BC'],
      ['umlaut', 'p.test', '/x/..//%c3%bc'],
      ['prefix', 'p.test', '/api'],
      ['prefix', 'p.test', '/apix'],
      ['prefix', 'p.test', '/%61pi/x'],
      ['prefix', 'p.test', '/other/../api'],
      [404, 'p.test', '/API'],
      ['inner', 'p.test', '/api/deep'],
      ['inner', 'p.test', '/api/deep/forced'],
      [400, 'p.test', '/bad%2'],
    ]);
  });

  test('methods, headers, queries and addresses', async () => {
    const one = (name: string, value: string | string[]): Partial<Ask> => ({ headers: { [name]: value } });
    await assertWinners([
      ['method', 'm.test', '/', { method: 'PUT' }],
      [404, 'm.test', '/'],
      ['header', 'h.test', '/', one('X-Key', 'a, b')],
      ['header', 'h.test', '/', one('X-Key', ['z', 'a, b'])],
      [404, 'h.test', '/', one('X-Key', 'a')],
      [404, 'h.test', '/', one('X-Key', ['a', 'b'])],
      ['headers', 'h.test', '/', one('x-re', 'v1.2')],
      [404, 'h.test', '/', one('x-re', 'xv1')],
      [404, 'h.test', '/'],
      ['query', 'q.test', '/?b=2&a=1'],
      ['query', 'q.test', '/?b=2;a=1'],
      ['query', 'q.test', '/?a=2&%61=%31'],
      [404, 'q.test', '/?a'],
      ['empty', 'q.test', '/?flag'],
      ['empty', 'q.test', '/?flag='],
      [404, 'q.test', '/?flag=1'],
      ['queries', 'q.test', '/?re=xy'],
      ['peer', 'c.test', '/', one('X-Forwarded-For', '10.0.0.1')],
    ]);
  });

  test('spellings, escapes and negated groups', async () => {
    await assertWinners([
      ['spelled', 'spelled.test', '/a'],
      [404, 'spelled.test', '/ax'],
      [404, 'spelled.test', '/a', { method: 'POST' }],
    ]);
  });

  test('of routers with equal priority the first by name answers', async () => {
    assert.equal(await winner('tie.test'), 'tiea');
  });

  test('a rule can tell a WebSocket handshake by its headers', async () => {
    const client = new WebSocket(`${gateway.url('web').replace('http', 'ws')}/`, {
      headers: { Host: 'ws.test' },
    });
    const [request, response] = (await once(client, 'unexpected-response', {
      signal: AbortSignal.timeout(10_000),
    })) as [{ destroy(): void }, { headers: { location?: string } }];
    request.destroy();
    client.on('error', () => undefined);
    assert.equal(response.headers.location, 'http://websocket/');
    assert.equal(await winner('ws.test'), 'notwebsocket');
  });
});
