// A server that answers wrongly in every way there is, over HTTP/1.1 and on both engines: what its client gets,
// that nobody else notices, and what it costs.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type HostileAnswer, hostileAnswers, lateAnswers } from '../support/hostile-answers.ts';
import { askInTurn, readAnswer } from '../support/hostile-client.ts';
import { type HostileOrigin, startHostileOrigin } from '../support/hostile-origin.ts';
import {
  cutOutcome,
  type HostileReport,
  type HostileResult,
  hostileRoutes,
  runCuts,
  runHostile,
} from '../support/hostile-run.ts';

/** Bytes a worker may grow by while all of it goes on: read buffers, and heads up to their bound. */
const maxGrowth = 96 * 1024 * 1024;
/** Of one line of the log. */
const maxLine = 1_024;

for (const engine of ['uws', 'node'] as const) {
  describe(`a hostile server behind the ${engine} engine`, () => {
    let origin: HostileOrigin;
    let gateway: TestGateway;
    let report: HostileReport;
    before(async () => {
      origin = await startHostileOrigin();
      const dynamic = hostileRoutes(`http://127.0.0.1:${origin.port}`);
      gateway = await startGateway({ engine, dynamic });
      report = await runHostile(gateway, origin);
    });
    after(async () => {
      await gateway?.stop();
      await origin?.stop();
    });

    for (const wrong of hostileAnswers) {
      const fate = wrong.reused ? 'kept' : 'not used again';
      test(`${wrong.name}: ${wrong.gets}, the connection is ${fate}`, async () => {
        const result = report.results.get(wrong.name) as HostileResult;
        assertAnswer(wrong, result);
        // A connection that ends under a GET before a byte of its answer may have been an old one.
        const isUnanswered = wrong.pieces.join('') === '' && wrong.finish !== 'stay';
        assert.ok(result.seen === 1 || (isUnanswered && result.seen === 2), `asked ${result.seen} times`);
        if (!wrong.reused) assert.equal(result.after, 0, 'nobody uses the connection again');
        await assertLog(gateway, wrong);
      });
    }

    test('every other user gets exactly what is his own', (t) => {
      assert.deepEqual(report.strangers, []);
      const { before: first, most } = report.memory;
      t.diagnostic(`${hostileAnswers.length} wrong answers, ${report.users} users beside and behind them`);
      t.diagnostic(`worker ${megabytes(first)} MB before, ${megabytes(most)} MB at most`);
      t.diagnostic(table(report));
    });

    for (const late of lateAnswers) {
      test(`${late.name}: the connection is closed before anybody else has it`, async () => {
        const target = `/wrong/${late.name}`;
        const answer = await readAnswer(gateway.port('web'), target);
        assert.deepEqual([answer.outcome, answer.body, answer.rest], ['200 whole', 'hello', '']);
        await eventually('the connection is closed', () => origin.open(target) === 0);
        assert.equal(origin.after(target), 0);
        assert.deepEqual(await askInTurn(gateway.port('web'), ['/user/late']), []);
      });
    }

    test('an answer cut at any byte is never a whole one', async (t) => {
      const results = await runCuts(gateway.port('web'), origin);
      const wrong = results.filter((one) => !cutOutcome(one).split('|').includes(one.answer.outcome));
      assert.deepEqual(
        wrong.map((one) => `${one.base} ${one.how} ${one.bytes}: ${one.answer.outcome}`),
        [],
      );
      assert.equal(results.filter((one) => one.after > 0 && one.answer.outcome !== '200 whole').length, 0);
      t.diagnostic(`${results.length} cuts`);
    });

    test('the worker lives, stays small and says nothing of bugs', () => {
      const { before: first, most } = report.memory;
      assert.ok(most - first < maxGrowth, `from ${megabytes(first)} to ${megabytes(most)} MB`);
      assert.equal(gateway.workerPids().length, 1);
      assert.doesNotMatch(gateway.logs(), /gateway\.bug|uncaught|TypeError/i);
    });

    test('the live counts blame the server, and nobody else', async () => {
      const errors = await blames(gateway);
      assert.deepEqual([...errors], ['server']);
    });
  });
}

function assertAnswer(wrong: HostileAnswer, { answer }: HostileResult): void {
  assert.ok(wrong.gets.split('|').includes(answer.outcome), `${answer.outcome} instead of ${wrong.gets}`);
  assert.equal(answer.rest, '', 'nothing comes behind the answer');
  assert.doesNotMatch(answer.head + answer.body, /SECRET|set-cookie/i);
  if (answer.outcome.endsWith('whole')) assert.equal(answer.body, wrong.body);
  if (answer.status === 204) assert.doesNotMatch(answer.head, /\r\n(?:content-length|transfer-encoding):/i);
}

/** One line for a failure, none for an answer that was whole or left. */
async function assertLog(gateway: TestGateway, { name, gets }: HostileAnswer): Promise<void> {
  const isFailure = /^5|cut/.test(gets);
  const lines = (): string[] =>
    gateway
      .logs()
      .split('\n')
      .filter((line) => line.includes(`"routerName":"${name}@file"`) && line.includes('Request failed'));
  await eventually('the log line', () => lines().length >= (isFailure ? 1 : 0));
  // Who leaves an answer that does not end is told of at the level debug.
  const told = lines().filter((line) => !line.includes('"client.gone"'));
  assert.equal(told.length, isFailure ? 1 : 0);
  for (const line of told) {
    assert.ok(line.length < maxLine, `${line.length} characters`);
    assert.match(line, /"code":"upstream\.[a-z_]+","blame":"server"/);
  }
}

async function blames(gateway: TestGateway): Promise<Set<string>> {
  const seen = new Set<string>();
  await eventually('the live counts know of failures', async () => {
    const response = await fetch(`${gateway.url('traefik')}/api/portcullis/live`);
    const text = await response.text();
    for (const [, blame] of text.matchAll(/"blame":"(\w+)"/g))
      if (blame !== 'client') seen.add(blame as string);
    return seen.size > 0;
  });
  return seen;
}

function table(report: HostileReport): string {
  const rows = hostileAnswers.map(({ name, reused }) => {
    const { answer, after } = report.results.get(name) as HostileResult;
    return `${name.padEnd(38)} ${answer.outcome.padEnd(10)} ${reused ? 'kept' : after === 0 ? 'closed' : 'REUSED'}`;
  });
  return rows.join('\n');
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
