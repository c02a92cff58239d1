// The whole corpus before one engine: a suite of its own for each, in a file of its own.

import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { HostileCase } from './case.ts';
import { bodyCases, chunkCases } from './chunks.ts';
import { headCases } from './heads.ts';
import { encodingCases, lengthCases } from './lengths.ts';
import { type Findings, play } from './play.ts';
import { preludeCases } from './preludes.ts';
import { startGateway, type TestGateway } from '../gateway.ts';
import { startStrictRecorder, type StrictRecorder } from '../strict-recorder.ts';

const corpus: readonly (readonly [string, readonly HostileCase[]])[] = [
  ['lengths', lengthCases],
  ['encodings', encodingCases],
  ['chunks', chunkCases],
  ['bodies', bodyCases],
  ['heads', headCases],
  ['preludes and upgrades', preludeCases],
];

/** Findings that are shown of one group. */
const maxShown = 30;

/** Registers the tests. */
export function hostileRequestsTo(engine: 'uws' | 'node'): void {
  describe(`hostile requests to the ${engine} engine`, () => {
    let recorder: StrictRecorder;
    let gateway: TestGateway;
    let worker: number[] = [];
    const rows: string[] = [];
    before(async () => {
      recorder = await startStrictRecorder();
      gateway = await startGateway({
        engine,
        static: { log: { level: 'INFO', format: 'json' } },
        dynamic: {
          http: {
            routers: { all: { rule: 'PathPrefix(`/`)', service: 'recorder', entryPoints: ['web'] } },
            services: { recorder: { loadBalancer: { servers: [{ url: recorder.url }] } } },
          },
        },
      });
      worker = gateway.workerPids();
    });
    after(async () => {
      await gateway?.stop();
      await recorder?.stop();
    });

    for (const [group, cases] of corpus) {
      test(`${group}: nothing of two meanings is passed on, and nothing hides behind it`, async (t) => {
        const findings = await play(cases, { port: gateway.port('web'), engine, recorder });
        rows.push(row(engine, group, findings));
        assertClean(t, findings);
      });
    }

    test('all of it was answered by the worker that began, and by no bug', (t) => {
      assert.deepEqual(gateway.workerPids(), worker);
      const wrong = /^.*(?:"level":"fatal"|A bug of the gateway).*$/m.exec(gateway.logs());
      assert.equal(wrong?.[0], undefined);
      t.diagnostic(
        'engine  group                    cases    sent  refused  forwarded clean  ambiguous forwarded',
      );
      for (const text of rows) t.diagnostic(text);
    });
  });
}

function assertClean(t: TestContext, { wrong, ambiguous }: Findings): void {
  for (const text of wrong.slice(0, maxShown)) t.diagnostic(text);
  assert.equal(ambiguous, 0);
  assert.equal(wrong.length, 0, `${wrong.length} wrong, first: ${wrong[0]}`);
}

function row(engine: string, group: string, found: Findings): string {
  const { cases, sent, refused, forwarded, ambiguous } = found;
  const counts = [String(cases).padStart(6), String(sent).padStart(8), String(refused).padStart(9)];
  return `${engine.padEnd(8)}${group.padEnd(24)}${counts.join('')}${String(forwarded - ambiguous).padStart(17)}${String(ambiguous).padStart(21)}`;
}
