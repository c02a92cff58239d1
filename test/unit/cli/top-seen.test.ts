// What `top` makes of a gateway in whose place another one answers.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Asking } from '../../../src/cli/top/ask.ts';
import { look, outdated } from '../../../src/cli/top/seen.ts';

/** Both have counted as far as the other. */
const revision = 7;

interface Process {
  readonly startDate: string;
  readonly code: string;
}

const first: Process = { startDate: '2026-01-01T00:00:00Z', code: 'router.no_match' };
const second: Process = { startDate: '2026-01-02T00:00:00Z', code: 'upstream.connect_refused' };

/** An API that tells errors to whoever does not know its revision. */
async function serve(context: TestContext): Promise<{ readonly asking: Asking; become(one: Process): void }> {
  let now = first;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://any.test');
    const knows = url.searchParams.get('revision') === String(revision);
    const live = {
      points: [],
      revision,
      errors: knows ? null : [{ code: now.code, count: 1 }],
      events: knows ? null : [],
      version: 1,
      hash: 'h',
      workers: [],
      diagnostics: { errors: 0, warnings: 0 },
    };
    const answers: Readonly<Record<string, unknown>> = {
      '/api/portcullis/live': live,
      '/api/version': { Version: '1', startDate: now.startDate },
      '/api/overview': {},
    };
    response.end(JSON.stringify(answers[url.pathname] ?? []));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asking: { endpoint, headers: {} }, become: (one) => void (now = one) };
}

test('after a look that failed nothing is taken for known', async (context) => {
  const { asking, become } = await serve(context);
  const seen = await look(asking, null);
  assert.equal((await look(asking, seen)).errors[0]?.code, first.code);
  become(second);
  const later = await look(asking, outdated(seen));
  assert.equal(later.errors[0]?.code, second.code);
  assert.equal(later.since, Date.parse(second.startDate));
});

test('one that took over between two looks is noticed by its start', async (context) => {
  const { asking, become } = await serve(context);
  const seen = await look(asking, null);
  become(second);
  const noticed = await look(asking, { ...seen, slowAt: Number.NEGATIVE_INFINITY });
  assert.equal((await look(asking, noticed)).errors[0]?.code, second.code);
});
