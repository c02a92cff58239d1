// Filters: bytes pass the innermost first, and the Exchange ends once, when the listener has got the last of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Downstream } from '../../../src/proxy/downstream.ts';
import { GatewayError } from '../../../src/proxy/errors.ts';
import type { Exchange } from '../../../src/proxy/exchange.ts';
import type { Filter } from '../../../src/proxy/filters.ts';
import { answer, fail } from '../../../src/proxy/pipeline.ts';
import { finishStream, sendHead } from '../../../src/proxy/respond.ts';
import type { Route } from '../../../src/proxy/runtime/route.ts';
import { exchange } from '../../support/forward-auth.ts';

class Client implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;
  text = '';
  finished = 0;
  aborts = 0;
  respond(_status: number, _headers: string[], body: string | Uint8Array): void {
    this.text += Buffer.from(body as Uint8Array).toString();
    this.finished++;
  }
  begin(): void {}
  write(chunk: Uint8Array): boolean {
    this.text += Buffer.from(chunk).toString();
    return true;
  }
  finish(): void {
    this.finished++;
  }
  abort(): void {
    this.aborts++;
  }
}

/** Puts a letter around every piece; holds the end back until `release` when `late`. */
class Mark implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  readonly #below: Downstream;
  readonly #letter: string;
  release: (() => void) | null = null;
  readonly #late: boolean;
  constructor(below: Downstream, letter: string, late: boolean) {
    this.#below = below;
    this.#letter = letter;
    this.#late = late;
  }
  get aborted(): boolean {
    return this.#below.aborted;
  }
  respond(status: number, headers: string[], body: string | Uint8Array, bodyless: boolean): void {
    const text = Buffer.from(body as Uint8Array).toString();
    this.#below.respond(status, headers, `${this.#letter}${text}${this.#letter}`, bodyless);
  }
  begin(status: number, headers: string[]): void {
    this.#below.begin(status, headers, null);
  }
  write(chunk: Uint8Array): boolean {
    return this.#below.write(Buffer.from(`${this.#letter}${Buffer.from(chunk).toString()}${this.#letter}`));
  }
  finish(): void {
    if (this.#late) this.release = () => this.#below.finish();
    else this.#below.finish();
  }
  abort(): void {
    this.#below.abort();
  }
}

interface Run {
  readonly x: Exchange;
  readonly client: Client;
  readonly marks: Mark[];
  ends(): number;
}

function start(late = false): Run {
  const client = new Client();
  const x = exchange();
  x.downstream = client;
  let ends = 0;
  x.route = { response: null, end: [() => void ends++], depth: 0 } as unknown as Route;
  const marks: Mark[] = [];
  const mark = (letter: string): Filter => {
    return (below) => {
      const one = new Mark(below, letter, late);
      marks.push(one);
      return one;
    };
  };
  x.addFilter(mark('i'));
  x.addFilter(mark('o'));
  return { x, client, marks, ends: () => ends };
}

test('the innermost sees the bytes first', () => {
  const whole = start();
  whole.x.status = 200;
  whole.x.answerBody = Buffer.from('x');
  answer(whole.x);
  assert.equal(whole.client.text, 'oixio');
  assert.equal(whole.ends(), 1);
  const { x, client, ends } = start();
  sendHead(x, null);
  x.bytesOut = 1;
  x.downstream.write(Buffer.from('x'));
  finishStream(x);
  assert.equal(client.text, 'oixio');
  assert.equal(ends(), 1);
  assert.deepEqual([x.bytesOut, x.originBytes], [5, 1]);
});

test('the Exchange ends when the last filter has let go, and not before', () => {
  const { x, marks, client, ends } = start(true);
  sendHead(x, null);
  finishStream(x);
  assert.deepEqual([ends(), x.ended, client.finished], [0, false, 0]);
  // The innermost is made last.
  marks[1]?.release?.();
  assert.equal(ends(), 0);
  marks[0]?.release?.();
  assert.deepEqual([ends(), x.ended, client.finished], [1, true, 1]);
});

test('an error behind the head cuts the client through all filters, and ends once', () => {
  const { x, client, ends } = start();
  sendHead(x, null);
  fail(x, new GatewayError('upstream.reset_body'));
  assert.deepEqual([client.aborts, client.finished, ends()], [1, 0, 1]);
  fail(x, new GatewayError('client.gone'));
  assert.equal(ends(), 1);
});

test('a client that goes away while filters hold the end back ends it once', () => {
  const { x, marks, ends } = start(true);
  sendHead(x, null);
  finishStream(x);
  fail(x, new GatewayError('client.gone'));
  assert.equal(ends(), 1);
  marks[1]?.release?.();
  marks[0]?.release?.();
  assert.equal(ends(), 1);
});
