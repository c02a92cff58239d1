// Which header values are sessions, and what an answer teaches.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnswerNote } from '../../../../src/proxy/exchange-work.ts';
import type { Exchange } from '../../../../src/proxy/exchange.ts';
import { GatewayError } from '../../../../src/proxy/errors.ts';
import type { Server } from '../../../../src/proxy/services/server.ts';
import { StickyHeader } from '../../../../src/proxy/services/sticky-header.ts';
import { Sessions } from '../../../../src/state/sessions.ts';
import { serverOf } from './bench-server.ts';

const spec = { name: 'x-seat', ttl: 60_000, onLost: '404' } as const;

interface Made {
  readonly header: StickyHeader<Server>;
  readonly servers: readonly Server[];
  readonly sessions: Sessions;
}

function make(options: { readonly onLost?: '404' | 'repick'; readonly refuses?: boolean } = {}): Made {
  const servers = ['a', 'b', 'c'].map((name) => serverOf(`http://${name}:80`));
  const sessions = new Sessions({ table: null });
  const room = { sessions, salt: 'salt', refuses: options.refuses ?? false };
  const header = new StickyHeader('s@file', { ...spec, onLost: options.onLost ?? '404' }, servers, room);
  return { header, servers, sessions };
}

/** As much of an Exchange as sessions touch. */
function exchange(method = 'POST'): Exchange & { answer(status: number, headers?: string[]): void } {
  const notes: AnswerNote[] = [];
  const x = {
    method,
    peer: '192.0.2.1',
    status: 0,
    responseHeaders: [] as string[],
    answerNotes: notes,
    noteAnswer: (note: AnswerNote) => void notes.push(note),
    answer(status: number, headers: string[] = []) {
      x.status = status;
      x.responseHeaders = headers;
      for (const note of notes) void note.answered(x as unknown as Exchange);
    },
  };
  return x as never;
}

function begin({ header, servers }: Made, id: string, at = 0): void {
  const x = exchange();
  header.begin(x, servers[at] as Server);
  x.answer(200, ['x-seat', id]);
}

test('an id is visible ASCII of 1 to 512 characters, once', () => {
  const { header } = make();
  const idIn = (...values: string[]) => header.idIn(values.flatMap((value) => ['x-seat', value]));
  assert.equal(idIn(), null);
  for (const id of ['a', '!~', 'x'.repeat(512)]) assert.equal(idIn(id), id);
  for (const id of ['', ' ', 'a b', 'x'.repeat(513), 'ü', 'a\t', '\x7f']) assert.equal(idIn(id), '');
  assert.equal(idIn('a', 'a'), 'a');
  assert.equal(idIn('a', 'b'), '');
});

test('what a server names is followed; what nobody named is lost', () => {
  const made = make();
  const { header, servers } = made;
  begin(made, 'one', 1);
  assert.equal(header.seat(exchange(), 'one'), servers[1]);
  const lost = header.seat(exchange(), 'two');
  assert.ok(lost instanceof GatewayError && lost.status === 404);
  assert.ok(header.seat(exchange(), '') instanceof GatewayError);
});

test('ids that clients make up are never kept, unless the server takes them', () => {
  const made = make({ onLost: 'repick' });
  for (let i = 0; i < 100; i++) {
    const x = exchange();
    assert.ok(made.header.seat(x, `made-up-${i}`) !== null);
    x.answer(200);
  }
  assert.equal(made.sessions.size, 0);
  const x = exchange();
  const seat = made.header.seat(x, 'mine');
  x.answer(200, ['x-seat', 'mine']);
  assert.equal(made.sessions.size, 1);
  assert.equal(made.header.seat(exchange(), 'mine'), seat);
});

test('a server that refuses an id and repeats it has not taken it', () => {
  const made = make({ onLost: 'repick' });
  for (const status of [400, 401, 404, 500]) {
    const x = exchange();
    void made.header.seat(x, `made-up-${status}`);
    x.answer(status, ['x-seat', `made-up-${status}`]);
  }
  assert.equal(made.sessions.size, 0);
  const x = exchange();
  void made.header.seat(x, 'made-up');
  x.answer(404, ['x-seat', 'another']);
  assert.equal(made.sessions.size, 1);
});

test('a known session whose server is down moves with the first answer that takes it', async () => {
  const made = make({ onLost: 'repick' });
  const [a] = made.servers as [Server];
  begin(made, 'one');
  a.setHealth(false);
  const refused = exchange();
  const first = await made.header.seat(refused, 'one');
  assert.ok(first !== a && first !== null);
  refused.answer(404);
  a.setHealth(true);
  assert.equal(made.header.seat(exchange(), 'one'), a);
  a.setHealth(false);
  const taken = exchange();
  const moved = await made.header.seat(taken, 'one');
  assert.equal(moved, first);
  taken.answer(200);
  a.setHealth(true);
  assert.equal(made.header.seat(exchange(), 'one'), moved);
});

test('a server that drains keeps its sessions until it is down', async () => {
  const made = make();
  const [a] = made.servers as [Server];
  begin(made, 'one');
  a.setDraining(true);
  assert.equal(a.up, false);
  assert.equal(made.header.seat(exchange(), 'one'), a);
  a.setHealth(false);
  assert.ok((await made.header.seat(exchange(), 'one')) instanceof GatewayError);
  a.setHealth(true);
  assert.equal(a.up, false);
  a.setDraining(false);
  assert.equal(a.up, true);
});

test('DELETE that succeeds ends a session, one that fails does not', async () => {
  const made = make();
  begin(made, 'one');
  const failed = exchange('DELETE');
  await made.header.seat(failed, 'one');
  failed.answer(405);
  assert.equal(made.sessions.size, 1);
  const ended = exchange('DELETE');
  await made.header.seat(ended, 'one');
  ended.answer(204);
  assert.equal(made.sessions.size, 0);
});

test('a table that cannot be asked: all nodes choose alike, or refuse', async () => {
  const table = {
    find: () => Promise.reject(new Error('away')),
    learn: () => Promise.resolve(),
    forget() {},
    close() {},
  };
  const servers = ['a', 'b', 'c'].map((name) => serverOf(`http://${name}:80`));
  const open = (refuses: boolean) => {
    const room = { sessions: new Sessions({ table }), salt: 'salt', refuses };
    return new StickyHeader('s@file', spec, servers, room);
  };
  const [one, two] = [open(false), open(false)];
  const seats = new Set<unknown>();
  for (let i = 0; i < 30; i++) {
    const seat = await one.seat(exchange(), `id-${i}`);
    assert.equal(seat, await two.seat(exchange(), `id-${i}`));
    seats.add(seat);
  }
  assert.equal(seats.size, 3);
  const refused = await open(true).seat(exchange(), 'one');
  assert.ok(refused instanceof GatewayError && refused.status === 503);
});

test('a session that is bound does not turn to another server; one that may be lost does', async () => {
  const strict = make();
  begin(strict, 'one');
  const x = exchange();
  await strict.header.seat(x, 'one');
  assert.equal(strict.header.mayTurn(x, strict.servers[1] as Server), false);
  const easy = make({ onLost: 'repick' });
  begin(easy, 'one');
  const y = exchange();
  await easy.header.seat(y, 'one');
  assert.equal(easy.header.mayTurn(y, easy.servers[1] as Server), true);
  y.answer(200);
  assert.equal(easy.header.seat(exchange(), 'one'), easy.servers[1]);
});
