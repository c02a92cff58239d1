// Services made of services: which of them answers, what the client is told, and what nobody must see.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin, waitFor } from '../support/origin.ts';

describe('a service made of services', () => {
  let gateway: TestGateway;
  const origins: Record<string, Origin> = {};
  /** By the name of an origin: what it answers instead of 200. */
  const statuses: Record<string, number> = {};

  before(async () => {
    for (const name of ['a', 'b', 'c', 'm']) {
      origins[name] = await startOrigin({
        name,
        answer: (_request, response) => {
          response.statusCode = statuses[name] ?? 200;
          response.end(name);
        },
      });
    }
    const server = (name: string) => ({ loadBalancer: { servers: [{ url: origins[name]?.url }] } });
    const check = { path: '/health', interval: '100ms', timeout: '1s' };
    const checked = (name: string) => ({
      loadBalancer: { servers: [{ url: origins[name]?.url }], healthCheck: check },
    });
    const services = {
      a: server('a'),
      b: server('b'),
      c: server('c'),
      m: server('m'),
      'a-checked': checked('a'),
      'b-checked': checked('b'),
      weighted: {
        weighted: {
          services: [
            { name: 'a', weight: 3 },
            { name: 'b', weight: 1 },
            { name: 'c', weight: 0 },
          ],
        },
      },
      sticky: {
        weighted: {
          sticky: { cookie: { name: 'outer' } },
          services: [{ name: 'inner' }, { name: 'c@file' }],
        },
      },
      inner: {
        loadBalancer: {
          sticky: { cookie: { name: 'lb' } },
          servers: [{ url: origins['a']?.url }, { url: origins['b']?.url }],
        },
      },
      following: {
        weighted: { healthCheck: {}, services: [{ name: 'a-checked' }, { name: 'b-checked' }] },
      },
      hrw: { highestRandomWeight: { services: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] } },
      mirror: { mirroring: { service: 'a', mirrors: [{ name: 'm', percent: 50 }] } },
      mirrorall: {
        mirroring: { service: 'a', maxBodySize: 20_000, mirrors: [{ name: 'm', percent: 100 }] },
      },
      bodyless: { mirroring: { service: 'a', mirrorBody: false, mirrors: [{ name: 'm', percent: 100 }] } },
      failover: { failover: { service: 'a-checked', fallback: 'b-checked' } },
      onerrors: {
        failover: {
          service: 'guarded',
          fallback: 'b',
          errors: { status: ['500-504'], maxRequestBodyBytes: 10 },
        },
      },
      guarded: { ...server('a'), middlewares: ['prefix'] },
      twice: { ...server('a'), middlewares: ['prefix', 'header'] },
      auth: { ...server('a'), middlewares: ['nobody'] },
      above: { weighted: { services: [{ name: 'auth' }] } },
      deep: { mirroring: { service: 'deep1', mirrors: [] } },
      deep1: { failover: { service: 'deep2', fallback: 'c', errors: { status: ['503'] } } },
      deep2: { weighted: { services: [{ name: 'twice' }] } },
      loop: { weighted: { services: [{ name: 'loop2' }] } },
      loop2: { mirroring: { service: 'loop' } },
    };
    const routers = Object.fromEntries(
      Object.keys(services).map((name) => [
        name,
        { rule: `PathPrefix(\`/${name}/\`)`, service: name, middlewares: ['retry'] },
      ]),
    );
    const middlewares = {
      prefix: { addPrefix: { prefix: '/added' } },
      header: {
        headers: { customRequestHeaders: { 'X-Own': 'yes' }, customResponseHeaders: { 'X-Seen': 'yes' } },
      },
      retry: { retry: { attempts: 2, status: ['507'] } },
    };
    gateway = await startGateway({ dynamic: { http: { routers, services, middlewares } } });
  });
  after(async () => {
    await gateway?.stop();
    for (const origin of Object.values(origins)) await origin.stop();
  });

  function ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${gateway.url('web')}${path}`, init);
  }

  async function withStatus(name: string, status: number, run: () => Promise<void>): Promise<void> {
    statuses[name] = status;
    try {
      await run();
    } finally {
      delete statuses[name];
    }
  }

  test('weighted gives each its share, and weight 0 none', async () => {
    const names: string[] = [];
    for (let i = 0; i < 8; i++) names.push(await (await ask('/weighted/')).text());
    assert.equal(names.sort().join(''), 'aaaaaabb');
  });

  test('a first visit gets the cookies of both levels, which then lead to the same server', async () => {
    for (let i = 0; i < 4; i++) {
      const first = await ask('/sticky/');
      const name = await first.text();
      const cookies = first.headers.getSetCookie().map((line) => line.split(';')[0] ?? '');
      const outer = (written: string) =>
        `outer=${createHash('sha256').update(written).digest('hex').slice(0, 16)}`;
      if (name === 'c') assert.deepEqual(cookies, [outer('c@file')]);
      else assert.equal(cookies.length, 2, cookies.join());
      if (name !== 'c') assert.equal(cookies[0], outer('inner'));
      for (let again = 0; again < 4; again++) {
        const next = await ask('/sticky/', { headers: { cookie: cookies.join('; ') } });
        assert.equal(await next.text(), name);
        assert.deepEqual(next.headers.getSetCookie(), []);
      }
    }
  });

  test('with healthCheck a child without a server that is up gets no turn, and with none left the answer is 503', async () => {
    await withStatus('a', 500, async () => {
      await waitFor('only b answers', async () => {
        const names = await Promise.all(
          Array.from({ length: 6 }, async () => (await ask('/following/')).text()),
        );
        return names.every((name) => name === 'b');
      });
      await withStatus('b', 500, async () => {
        await waitFor('none answers', async () => (await ask('/following/')).status === 503);
        assert.equal(await (await ask('/following/')).text(), 'no available server\n');
      });
    });
    await waitFor('a answers again', async () => (await (await ask('/following/')).text()) === 'a');
  });

  test('highestRandomWeight keeps a client where it is', async () => {
    const first = await (await ask('/hrw/')).text();
    for (let i = 0; i < 10; i++) assert.equal(await (await ask('/hrw/')).text(), first);
  });

  test('mirrors get their percentage exactly, with body and headers, after the answer', async () => {
    const mirror = origins['m'] as Origin;
    mirror.requests.length = 0;
    for (let i = 0; i < 20; i++) {
      const answer = await ask(`/mirror/${i}`, {
        method: 'POST',
        body: `body ${i}`,
        headers: { 'x-own': 'me' },
      });
      assert.equal(await answer.text(), 'a');
    }
    await waitFor('ten mirrored requests', () => mirror.requests.length === 10);
    for (const { target, method, body, headers } of mirror.requests) {
      assert.equal(method, 'POST');
      assert.equal(body, `body ${target.slice('/mirror/'.length)}`);
      assert.equal(headers['x-own'], 'me');
      assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    }
  });

  test('a large body is mirrored while it passes, one above maxBodySize passes without', async () => {
    const mirror = origins['m'] as Origin;
    mirror.requests.length = 0;
    const large = 'x'.repeat(20_000);
    const chunked = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 20; i++) controller.enqueue(new TextEncoder().encode('y'.repeat(1000)));
        controller.close();
      },
    });
    for (const body of [large, `${large}x`]) {
      const answer = await ask('/mirrorall/', { method: 'POST', body });
      assert.equal(await answer.text(), 'a');
      assert.equal(origins['a']?.requests.at(-1)?.body, body);
    }
    const streamed = await ask('/mirrorall/', {
      method: 'POST',
      body: chunked,
      duplex: 'half',
    } as RequestInit);
    assert.equal(await streamed.text(), 'a');
    await waitFor('the bodies within the bound', () => mirror.requests.length === 2);
    // Each goes its own way: which arrives first is nobody's promise.
    assert.deepEqual(mirror.requests.map(({ body }) => body).sort(), [large, 'y'.repeat(20_000)]);
  });

  test('with mirrorBody false the mirror gets no body', async () => {
    const mirror = origins['m'] as Origin;
    mirror.requests.length = 0;
    await (await ask('/bodyless/', { method: 'POST', body: 'secret' })).text();
    await waitFor('the mirrored request', () => mirror.requests.length === 1);
    assert.equal(mirror.requests[0]?.body, '');
  });

  test('failover turns to the fallback while the first service is down, and answers 503 when both are', async () => {
    assert.equal(await (await ask('/failover/')).text(), 'a');
    await withStatus('a', 500, async () => {
      await waitFor('the fallback answers', async () => (await (await ask('/failover/')).text()) === 'b');
      await withStatus('b', 500, async () => {
        await waitFor('none answers', async () => (await ask('/failover/')).status === 503);
        assert.equal(await (await ask('/failover/')).text(), 'Service Unavailable\n');
      });
    });
    await waitFor('the first is back', async () => (await (await ask('/failover/')).text()) === 'a');
  });

  test('failover by status sends the same request to the fallback, as it was', async () => {
    const [a, b] = [origins['a'] as Origin, origins['b'] as Origin];
    await withStatus('a', 503, async () => {
      const answer = await ask('/onerrors/x?q=1', { method: 'POST', body: 'ten bytes!' });
      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), 'b');
      assert.equal(a.requests.at(-1)?.target, '/added/onerrors/x?q=1');
      assert.equal(b.requests.at(-1)?.target, '/onerrors/x?q=1');
      assert.equal(b.requests.at(-1)?.body, 'ten bytes!');
      await withStatus('b', 502, async () => {
        const asked = b.requests.length;
        assert.equal((await ask('/onerrors/')).status, 502);
        assert.equal(b.requests.length, asked + 1, 'the fallback is asked once');
      });
    });
    assert.equal(await (await ask('/onerrors/')).text(), 'a');
  });

  test('failover by status refuses a body above its bound with 413', async () => {
    const answer = await ask('/onerrors/', { method: 'POST', body: 'eleven byte' });
    assert.equal(answer.status, 413);
    assert.equal(await answer.text(), 'Request body too large\n');
  });

  test('middlewares of a service run behind those of the router, however deep it lies', async () => {
    for (const path of ['/twice/', '/deep/']) {
      const answer = await ask(path);
      assert.equal(await answer.text(), 'a');
      assert.equal(answer.headers.get('x-seen'), 'yes');
      const seen = origins['a']?.requests.at(-1);
      assert.equal(seen?.target, `/added${path}`);
      assert.equal(seen?.headers['x-own'], 'yes');
    }
  });

  test('a retry of the router goes through the middlewares of the service once more, and not twice', async () => {
    const a = origins['a'] as Origin;
    await withStatus('a', 507, async () => {
      const asked = a.requests.length;
      assert.equal((await ask('/twice/')).status, 507);
      const seen = a.requests.slice(asked).map(({ target }) => target);
      assert.deepEqual(seen, ['/added/twice/', '/added/twice/']);
    });
  });

  test('a service whose middleware is missing answers 503, and so does all that is made of it', async () => {
    for (const path of ['/auth/', '/above/', '/loop/', '/loop2/']) {
      assert.equal((await ask(path)).status, 503, path);
    }
    assert.equal((await ask('/a/')).status, 200);
    const { diagnostics } = await gateway.status();
    const text = diagnostics.map(({ message }) => message).join('\n');
    assert.match(text, /service auth@file: middlewares: middleware nobody@file doesn't exist/);
    assert.match(text, /service recursion detected in loop2@file->loop@file->loop2@file/);
  });

  test('the API shows each as Traefik does', async () => {
    const view = async (name: string): Promise<Record<string, unknown>> => {
      const answer = await fetch(`${gateway.url('traefik')}/api/http/services/${name}@file`);
      return (await answer.json()) as Record<string, unknown>;
    };
    const weighted = await view('weighted');
    assert.equal(weighted['type'], 'weighted');
    assert.deepEqual(weighted['weighted'], {
      services: [
        { name: 'a', weight: 3 },
        { name: 'b', weight: 1 },
        { name: 'c', weight: 0 },
      ],
    });
    assert.equal((await view('mirror'))['type'], 'mirroring');
    assert.equal((await view('failover'))['type'], 'failover');
    assert.equal((await view('hrw'))['type'], 'highestrandomweight');
    assert.equal((await view('loop'))['status'], 'disabled');
    assert.deepEqual((await view('twice'))['middlewares'], ['prefix@file', 'header@file']);
  });

  test('a reload that changes one server changes it wherever its service lies', async () => {
    const other = await startOrigin({ name: 'other' });
    const service = (url: string | undefined) => ({
      http: {
        routers: { r: { rule: 'PathPrefix(`/`)', service: 'top' } },
        services: {
          top: { failover: { service: 'mid', fallback: 'leaf', errors: { status: ['500'] } } },
          mid: { weighted: { services: [{ name: 'leaf' }] }, middlewares: ['header'] },
          leaf: { loadBalancer: { servers: [{ url }] } },
        },
        middlewares: { header: { headers: { customRequestHeaders: { 'X-Own': 'yes' } } } },
      },
    });
    await gateway.writeDynamic(service(origins['a']?.url));
    assert.equal(await (await ask('/')).text(), 'a');
    await gateway.writeDynamic(service(other.url));
    assert.equal(await (await ask('/')).text(), 'other');
    assert.equal(other.requests.at(-1)?.headers['x-own'], 'yes');
    await other.stop();
  });
});
