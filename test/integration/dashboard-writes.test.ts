// Who may change something through the API from a browser: the dashboard itself, and no other page.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Answer, ask } from '../support/ask.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

describe('a page that writes to the API', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startGateway({
      static: { api: { insecure: true }, entryPoints: { web: {} } },
      dynamic: {
        http: {
          routers: {
            named: { rule: 'Host(`gate.test`) && PathPrefix(`/api`)', service: 'api@internal' },
            loose: { rule: 'HostRegexp(`^.+[.]wide$`) && PathPrefix(`/api`)', service: 'api@internal' },
          },
        },
      },
    });
  });
  after(() => gateway.stop());

  const purge = async (
    entryPoint: string,
    host: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<number> => {
    const answer: Answer = await ask(gateway.port(entryPoint), {
      host,
      target: '/api/portcullis/auth-cache/purge',
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"by":"all"}',
    });
    return answer.status;
  };
  const mark = { 'x-portcullis-dashboard': '1' };

  test('is let in as the dashboard of the very host that was asked', async () => {
    const local = `127.0.0.1:${gateway.port('traefik')}`;
    assert.equal(await purge('traefik', local, { ...mark, origin: `http://${local}` }), 200);
    assert.equal(await purge('traefik', 'localhost:8', { ...mark, origin: 'http://localhost:8' }), 200);
    assert.equal(await purge('traefik', '[::1]:8', { ...mark, origin: 'http://[::1]:8' }), 200);
    assert.equal(await purge('web', 'gate.test', { ...mark, origin: 'https://gate.test' }), 200);
    const site = { 'sec-fetch-site': 'same-origin' };
    assert.equal(await purge('web', 'gate.test', { ...mark, ...site, origin: 'https://gate.test' }), 200);
  });

  test('is refused without the mark, and from any other origin', async () => {
    const local = `127.0.0.1:${gateway.port('traefik')}`;
    for (const headers of [
      { origin: `http://${local}` },
      { ...mark, origin: 'https://evil.test' },
      { ...mark, origin: 'null' },
      { ...mark, origin: '' },
      { ...mark, origin: `http://${local}.evil.test` },
      { ...mark, origin: `http://evil.test/${local}` },
      { ...mark, origin: `http://${local}@evil.test` },
      { ...mark, origin: 'http://127.0.0.1' },
      { ...mark, origin: `http://${local}`, 'sec-fetch-site': 'cross-site' },
      { ...mark, origin: `http://${local}`, 'sec-fetch-site': 'same-site' },
    ])
      assert.equal(await purge('traefik', local, headers), 403, JSON.stringify(headers));
  });

  test('is refused under a name that anybody may point at the address', async () => {
    const origin = 'http://rebound.evil.test:8091';
    assert.equal(await purge('traefik', 'rebound.evil.test:8091', { ...mark, origin }), 403);
    const loose = { ...mark, origin: 'http://evil.wide' };
    assert.equal(await purge('web', 'evil.wide', loose), 403, 'a pattern is no name');
  });

  test('clients that are no page write as ever', async () => {
    assert.equal(await purge('traefik', 'whatever.test', {}), 200);
  });
});
