// Hooks and filters that fail at the worst moment: an Exchange ends once, and nothing stale leaves with its answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Downstream } from '../../../src/proxy/downstream.ts';
import type { EntryPoint } from '../../../src/proxy/entrypoints/entry-point.ts';
import type { Exchange } from '../../../src/proxy/exchange.ts';
import { ANSWERED, CONTINUE, type Hooks, RETRY } from '../../../src/proxy/hooks.ts';
import { answer, serve } from '../../../src/proxy/pipeline.ts';
import type { Route } from '../../../src/proxy/runtime/route.ts';
import type { Runtime } from '../../../src/proxy/runtime/runtime.ts';
import { exchange } from '../../support/forward-auth.ts';

class Client implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;
  readonly said: string[] = [];
  respond(status: number, _headers: readonly string[], body: string | Uint8Array): void {
    this.said.push(`${status} ${Buffer.from(body as Uint8Array).toString()}`);
  }
  begin(status: number): void {
    this.said.push(`begin ${status}`);
  }
  write(chunk: Uint8Array): boolean {
    this.said.push(Buffer.from(chunk).toString());
    return true;
  }
  finish(): void {
    this.said.push('finish');
  }
  abort(): void {
    this.said.push('abort');
  }
  leave(): void {
    this.aborted = true;
    this.onAbort?.();
  }
}

interface Ran {
  readonly x: Exchange;
  readonly client: Client;
  /** Times the entry point was told of the end. */
  ends: number;
}

/** `hooks` from the outside in, and what stands for the service. */
function start(hooks: readonly Hooks[], handle: (x: Exchange) => void): Ran {
  const client = new Client();
  const base = exchange();
  const x = exchange({
    downstream: client,
    entryPoint: { ...base.entryPoint, ended: () => void (ran.ends += 1) } as EntryPoint,
  });
  const ran: Ran = { x, client, ends: 0 };
  const route = {
    name: 'r@file',
    depth: hooks.length,
    request: hooks.map(({ request }) => request ?? null),
    response: hooks.map(({ response }) => response ?? null),
    end: hooks.flatMap(({ end }) => end ?? []),
    broken: null,
    accessLogs: true,
    service: { name: 's', setServerUp() {}, handle },
  } as unknown as Route;
  serve(x, { routeOf: () => route } as unknown as Runtime);
  return ran;
}

async function over(ran: Ran): Promise<void> {
  for (let turns = 0; !ran.x.ended && turns < 200; turns += 1) await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.equal(ran.x.ended, true);
}

function respond(x: Exchange): void {
  x.answer(200, [], 'fine');
  answer(x);
}

const shout: Hooks = {
  response(x) {
    x.addFilter((below) =>
      Object.assign(Object.create(below) as Downstream, {
        respond: (status: number, headers: string[], body: string | Uint8Array, bodyless: boolean) =>
          below.respond(
            status,
            headers,
            Buffer.from(body as Uint8Array)
              .toString()
              .toUpperCase(),
            bodyless,
          ),
      }),
    );
  },
};
const bug = (): never => {
  throw new Error('bug');
};

test('a filter of an answer that an error replaces never touches the error', async () => {
  for (const response of [bug, () => Promise.reject(new Error('bug'))]) {
    const ran = start([{ response }, shout], respond);
    await over(ran);
    assert.deepEqual([ran.client.said, ran.ends], [['500 Internal Server Error\n'], 1]);
  }
});

test('an end hook that throws keeps none of the others from running, and the end is told once', async () => {
  let ends = 0;
  const count: Hooks = { end: () => void (ends += 1) };
  for (const leaves of [false, true]) {
    ends = 0;
    const ran = start([count, { end: bug }, count], leaves ? () => {} : respond);
    if (leaves) ran.client.leave();
    await over(ran);
    assert.deepEqual([ends, ran.ends], [2, 1]);
    assert.equal(ran.x.error?.code, 'gateway.bug');
  }
});

test('hooks of any kind that fail in a second attempt end the request once', async () => {
  let ends = 0;
  for (const request of [bug, () => Promise.reject(new Error('bug')), () => undefined]) {
    let attempt = 0;
    ends = 0;
    const again: Hooks = {
      response: () => (++attempt === 1 ? RETRY : CONTINUE),
      end: () => void (ends += 1),
    };
    const fails = { request: () => (attempt === 0 ? CONTINUE : request()) } as Hooks;
    const ran = start([again, fails], respond);
    await over(ran);
    assert.deepEqual([ran.client.said, ends, ran.ends], [['500 Internal Server Error\n'], 1, 1]);
  }
});

test('a client that leaves while any hook waits ends the request once, and nothing is answered to nobody', async () => {
  const waits: ((settle: Promise<number>) => Hooks)[] = [
    (settle) => ({ request: () => settle.then(() => CONTINUE) }),
    (settle) => ({ request: (x) => settle.then(() => x.answer(401, [], 'no')) }),
    (settle) => ({ response: () => settle.then(() => RETRY) }),
    (settle) => ({ response: (x) => settle.then(() => x.answer(500, [], 'page')) }),
    (settle) => ({ response: () => settle.then(() => CONTINUE) }),
    (settle) => ({ response: () => settle.then(bug) }),
  ];
  for (const [i, make] of waits.entries()) {
    let release: (value: number) => void = () => {};
    const settle = new Promise<number>((resolve) => (release = resolve));
    let served = 0;
    let ends = 0;
    const outer: Hooks = { response: () => {}, end: () => void (ends += 1) };
    const ran = start([outer, make(settle), shout], (x) => {
      served += 1;
      respond(x);
    });
    const before = served;
    ran.client.leave();
    release(0);
    await over(ran);
    assert.deepEqual([ends, ran.ends, served], [1, 1, before], String(i));
    assert.equal(ran.x.error?.code, 'client.gone', String(i));
    assert.deepEqual(
      ran.client.said.filter((said) => said !== 'abort'),
      [],
      String(i),
    );
  }
});

test('an answer made in a response hook is seen by what stands further out, and filters stay in their order', async () => {
  const seen: string[] = [];
  const outer: Hooks = { response: (x) => void seen.push(`${x.status} ${String(x.answerBody)}`) };
  const page: Hooks = {
    response: (x) => {
      assert.equal(x.status, 200);
      return x.answer(404, [], 'page');
    },
  };
  const ran = start([outer, page, shout], respond);
  await over(ran);
  assert.deepEqual([seen, ran.client.said], [['404 page'], ['404 page']]);
  assert.equal(ANSWERED, 1);
});
