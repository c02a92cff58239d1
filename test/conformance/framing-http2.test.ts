// From HTTP/2 to HTTP/1.1: what has no line ends and a length of its own must not gain others on the way.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type StreamCase, streamCases } from '../support/framing/http2-cases.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Frame, frameTypes, openFrames } from '../support/http2-frames.ts';
import { startStrictRecorder, type StrictRecorder } from '../support/strict-recorder.ts';
import { fieldValues, type RecordedRequest } from '../support/strict-request.ts';

/** Connections at once. */
const sideBySide = 48;

describe('hostile requests by HTTP/2', () => {
  let recorder: StrictRecorder;
  let gateway: TestGateway;
  before(async () => {
    recorder = await startStrictRecorder();
    gateway = await startGateway({
      engine: 'node',
      static: { log: { level: 'INFO', format: 'json' } },
      dynamic: {
        http: {
          routers: { all: { rule: 'PathPrefix(`/`)', service: 'recorder', entryPoints: ['web'] } },
          services: { recorder: { loadBalancer: { servers: [{ url: recorder.url }] } } },
        },
      },
    });
  });
  after(async () => {
    await gateway?.stop();
    await recorder?.stop();
  });

  test('nothing of two meanings is written down as HTTP/1.1, and no body becomes a request', async (t) => {
    const [worker] = gateway.workerPids();
    const statuses = new Map<string, string>();
    const left = streamCases.map((one, nth) => ({ one, id: `h2-${nth}-` }));
    const total = left.length;
    const sender = async (): Promise<void> => {
      for (let job = left.pop(); job !== undefined; job = left.pop())
        statuses.set(job.id, await send(gateway.port('web'), job.one, job.id));
    };
    await Promise.all(Array.from({ length: sideBySide }, sender));
    const wrong = streamCases.flatMap((one, nth) => {
      const id = `h2-${nth}-`;
      return faultsOf(one, statuses.get(id) ?? '', recordedOf(recorder, id), id).map(
        (text) => `${one.name}: ${text}`,
      );
    });
    for (const { flaws, isWhole, ...request } of recorder.requests) {
      if (flaws.length > 0)
        wrong.push(`ambiguous (${flaws.join(', ')}): ${JSON.stringify(request).slice(0, 400)}`);
      if (
        isWhole &&
        !fieldValues({ ...request, flaws, isWhole }, 'x-case')
          .join()
          .startsWith('h2-')
      )
        wrong.push(`nobody sent ${request.method} ${request.target}`);
    }
    const ambiguous = recorder.requests.filter(({ flaws }) => flaws.length > 0).length;
    const whole = recorder.requests.filter(({ isWhole }) => isWhole).length;
    t.diagnostic('engine  group                    cases  refused  forwarded clean  ambiguous forwarded');
    t.diagnostic(
      `node    HTTP/2 to HTTP/1.1   ${String(total).padStart(9)}${String(total - whole).padStart(9)}${String(whole - ambiguous).padStart(17)}${String(ambiguous).padStart(21)}`,
    );
    for (const text of wrong.slice(0, 30)) t.diagnostic(text);
    assert.equal(wrong.length, 0, `${wrong.length} wrong, first: ${wrong[0]}`);
    assert.deepEqual(gateway.workerPids(), [worker]);
    assert.doesNotMatch(gateway.logs(), /"level":"fatal"|A bug of the gateway/);
  });
});

/** What became of stream 1: `200`, `other` status, `reset`, or `gone` with its connection. */
async function send(port: number, one: StreamCase, id: string): Promise<string> {
  const client = await openFrames(port);
  try {
    client.send(...one.frames(id));
    let outcome = '';
    await eventually(
      `an end of the stream of ${one.name}`,
      () => (outcome = outcomeOf(client.frames, client.isClosed)) !== '',
    );
    return outcome;
  } finally {
    client.destroy();
  }
}

function outcomeOf(frames: readonly Frame[], isClosed: boolean): string {
  for (const { type, stream, payload } of frames) {
    // RFC 7541, appendix A: 8 in the static table is `:status: 200`, behind what changes the table's size.
    if (type === frameTypes.headers && stream === 1)
      return payload.subarray(0, 8).includes(0x88) ? '200' : 'other';
    if (type === frameTypes.reset && stream === 1) return 'reset';
    if (type === frameTypes.goaway) return 'gone';
  }
  return isClosed ? 'gone' : '';
}

function recordedOf({ requests }: StrictRecorder, id: string): readonly RecordedRequest[] {
  return requests.filter((request) => request.isWhole && fieldValues(request, 'x-case').join() === id);
}

function faultsOf(one: StreamCase, status: string, whole: readonly RecordedRequest[], id: string): string[] {
  const faults: string[] = [];
  if (whole.length > 1) faults.push(`reached the server ${whole.length} times`);
  if (one.isServed === false && whole.length > 0)
    faults.push(`reached the server: ${JSON.stringify(whole[0])}`);
  if (one.isServed === false && status === '200') faults.push('was answered 200');
  if (one.isServed === true && (whole.length !== 1 || status !== '200'))
    faults.push(`was not served: ${status}`);
  const body = one.body.replaceAll('@ID@', id);
  if (whole.some((request) => request.body !== body))
    faults.push(`its body was ${JSON.stringify(whole[0]?.body)}`);
  return faults;
}
