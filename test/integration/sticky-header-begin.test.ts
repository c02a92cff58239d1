// The answer that begins a session: it leaves when every worker can know the session, whatever the answer is like.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { assertStay, beginSession, type McpServer, mcpCall, startMcpServer } from '../support/mcp-server.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

const header = { name: 'Mcp-Session-Id', onLost: '404' };
/** Longer than one read of a connection, so that the server is held back. */
const long = 'x'.repeat(3 * 1024 * 1024);

describe('the answer that begins a session', () => {
  const servers: McpServer[] = [];
  let odd: Origin;
  let gateway: TestGateway;

  before(async () => {
    for (const name of ['a', 'b']) servers.push(await startMcpServer(name));
    odd = await startOrigin({
      answer(request, response) {
        const kind = new URL(request.url ?? '', 'http://odd').pathname.slice('/odd/'.length);
        response.setHeader('Mcp-Session-Id', kind);
        if (kind === 'empty') response.writeHead(204).end();
        else if (kind === 'long') response.end(long);
        else if (kind === 'cut') response.writeHead(200, { 'content-length': '9' }).write('half');
        else response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
        if (kind === 'cut') setTimeout(() => response.destroy(), 30);
        if (kind === 'stream') setTimeout(() => response.end('data: 2\n\n'), 300);
      },
    });
    const balanced = (urls: readonly string[]): object => ({
      loadBalancer: { servers: urls.map((url) => ({ url })), sticky: { header } },
    });
    gateway = await startGateway({
      workers: 2,
      dynamic: {
        http: {
          routers: {
            mcp: { rule: 'PathPrefix(`/mcp`)', service: 'mcp' },
            odd: { rule: 'PathPrefix(`/odd/`)', service: 'odd' },
          },
          services: { mcp: balanced(servers.map(({ url }) => url)), odd: balanced([odd.url]) },
        },
      },
    });
  });
  after(async () => {
    await gateway?.stop();
    for (const server of [...servers, odd]) await server?.stop();
  });

  const at = (path: string): string => `${gateway.url('web')}${path}`;

  test('waits until the primary has heard of it', async () => {
    gateway.signal('SIGSTOP');
    let isAnswered = false;
    const begun = beginSession(at('/mcp')).finally(() => (isAnswered = true));
    await wait(100);
    assert.ok(!isAnswered);
    gateway.signal('SIGCONT');
    await assertStay(at('/mcp'), [await begun], 10);
  });

  test('waits for no longer than its budget', async () => {
    gateway.signal('SIGSTOP');
    const { status, id } = await mcpCall(at('/mcp'), 'initialize').finally(() => gateway.signal('SIGCONT'));
    assert.equal(status, 200);
    assert.ok(id !== null);
  });

  test('lets its client end the session at once, through any worker', async () => {
    const one = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) {
        const { id } = await beginSession(at('/mcp'));
        assert.equal((await mcpCall(at('/mcp'), 'DELETE', id)).status, 204, `session ${i}`);
      }
    };
    await Promise.all([one(), one(), one(), one()]);
  });

  test('is whole: empty, longer than what is kept of it, streamed, and cut', async () => {
    const empty = await fetch(at('/odd/empty'));
    assert.deepEqual([empty.status, empty.headers.get('mcp-session-id')], [204, 'empty']);
    const whole = await fetch(at('/odd/long'));
    assert.ok((await whole.text()) === long);
    const stream = await fetch(at('/odd/stream'));
    assert.equal(await stream.text(), 'data: 1\n\ndata: 2\n\n');
    const cut = fetch(at('/odd/cut')).then((response) => response.text());
    await assert.rejects(cut);
  });

  test('is whole when it was held for as long as it may be', async () => {
    gateway.signal('SIGSTOP');
    try {
      const kinds = ['empty', 'long', 'stream'].map((kind) => fetch(at(`/odd/${kind}?again`)));
      const [empty, whole, stream] = await Promise.all(kinds);
      assert.equal(empty?.status, 204);
      assert.ok((await whole?.text()) === long);
      assert.equal(await stream?.text(), 'data: 1\n\ndata: 2\n\n');
      // What broke while nobody had seen its head is the gateway's to tell.
      const cut = await fetch(at('/odd/cut?again')).then(
        async (response) => [response.status, await response.text().catch(() => 'cut')],
        () => 'cut',
      );
      assert.ok(String(cut).startsWith('502') || String(cut).endsWith('cut'), String(cut));
    } finally {
      gateway.signal('SIGCONT');
    }
  });
});
