// buffering: reads requests whole before a server gets them, and answers whole before the client does.

import type { RequestBody } from '../body.ts';
import { GatewayError } from '../errors.ts';
import type { Exchange, RequestState } from '../exchange.ts';
import { getHeader, setHeader } from '../headers.ts';
import { type AnswerVerdict, CONTINUE, RETRY, type Verdict } from '../hooks.ts';
import { byteLength, isBodyless } from '../respond.ts';
import { statusText } from '../status.ts';
import { type Attempt, limits, parseRetry, schema } from './buffering/options.ts';
import { Spool, type SpoolEnd, type SpoolLimits } from './buffering/spool.ts';
import { StoredAnswer } from './buffering/stored-answer.ts';
import { StoredBody } from './buffering/stored-body.ts';
import { defineMiddleware } from './define.ts';
import { quietly } from './quietly.ts';

/** What is kept of one Exchange. */
interface Kept {
  request: Spool | null;
  answer: Spool | null;
  /** Null unless it may be sent again. */
  tried: { readonly attempt: Attempt; readonly state: RequestState } | null;
}

/** Times that one request is sent again at most, whatever the expression says. */
const maxRepeats = 10;

export const buffering = defineMiddleware({
  kind: 'buffering',
  summary: 'Reads requests and answers whole before it passes them on, and limits their size.',
  schema,
  build(options, deps) {
    const slot = deps.slot();
    const forRequests = limits(options.maxRequestBodyBytes, options.memRequestBodyBytes);
    const forAnswers = limits(options.maxResponseBodyBytes, options.memResponseBodyBytes);
    const wantsAnother = options.retryExpression === '' ? null : parseRetry(options.retryExpression);
    const diskFailed = quietly(() =>
      deps.log.error(`buffering ${deps.name}: a body cannot be kept, the temporary directory may be full`),
    );

    return {
      request(x): Verdict | Promise<Verdict> {
        if (x.isUpgrade) return CONTINUE;
        const kept = keptOf(x, slot);
        if (wantsAnother !== null) {
          const attempt = { number: 1, status: 0, method: x.method };
          kept.tried = { attempt, state: x.rememberRequest() };
        }
        if (x.body === null || kept.request !== null) return CONTINUE;
        return storeRequest(x, x.body, kept, forRequests).then((end) => {
          if (end === 'whole' || x.ended) return CONTINUE;
          if (end === 'failed') diskFailed();
          return refuse(x, end === 'failed' ? 500 : 413);
        });
      },
      response(x): AnswerVerdict | Promise<AnswerVerdict> {
        const kept = x.fact<Kept>(slot);
        if (kept === undefined) return CONTINUE;
        const { tried } = kept;
        if (tried !== null && wantsAnother !== null && tried.attempt.number <= maxRepeats) {
          tried.attempt.status = x.status;
          if (wantsAnother(tried.attempt)) {
            tried.attempt.number++;
            x.restoreRequest(tried.state);
            return RETRY;
          }
        }
        if (isBodyless(x)) return CONTINUE;
        if (announced(x) > forAnswers.maxBytes) return refuse(x, 500);
        const whole = storeAnswer(x, kept, forAnswers);
        if (whole === null) return CONTINUE;
        return whole.then((end) => {
          if (end === 'whole' || x.ended) return CONTINUE;
          if (end === 'failed') diskFailed();
          return refuse(x, 500);
        });
      },
      end(x) {
        const kept = x.fact<Kept>(slot);
        kept?.request?.close();
        kept?.answer?.close();
      },
    };
  },
});

function keptOf(x: Exchange, slot: number): Kept {
  let kept = x.fact<Kept>(slot);
  if (kept === undefined) {
    kept = { request: null, answer: null, tried: null };
    x.keepFact(slot, kept);
  }
  return kept;
}

function refuse(x: Exchange, status: number): Verdict {
  return x.answer(status, [], statusText(status));
}

/** Puts a stored body in place of the client's. Rejects when the client goes away. */
async function storeRequest(
  x: Exchange,
  body: RequestBody,
  kept: Kept,
  bounds: SpoolLimits,
): Promise<SpoolEnd> {
  if (body.length !== null && body.length > bounds.maxBytes) return 'too-long';
  const spool = new Spool(bounds);
  kept.request = spool;
  spool.onDrain = () => body.resume();
  const gone = new Promise<never>((_, reject) => {
    body.pipe({
      data: (chunk) => spool.take(chunk),
      end: () => spool.finish(),
      // One that is still there has sent what cannot be read, as broken base64 of gRPC-Web.
      abort: () => reject(new GatewayError('intake.bad_request', 'the body breaks off')),
    });
  });
  const end = await Promise.race([spool.done, gone]);
  if (end === 'whole') x.body = new StoredBody(spool);
  else body.discard();
  return end;
}

/** Bytes that the answer at hand has or says it has; 0 when only its end will tell. */
function announced(x: Exchange): number {
  const length = getHeader(x.responseHeaders, 'content-length');
  return length === null ? byteLength(x.answerBody) : Number(length);
}

/** Null when there is no stream to store. Rejects with the server's error. */
function storeAnswer(x: Exchange, kept: Kept, bounds: SpoolLimits): Promise<SpoolEnd> | null {
  const spool = new Spool(bounds);
  let serverFailed: (error: Error) => void = () => {};
  const broken = new Promise<never>((_, reject) => {
    serverFailed = reject;
  });
  const stream = x.divertAnswer({
    // The chunk is a view of memory that is used again.
    take: (chunk) => spool.take(Buffer.from(chunk)),
    finish: () => spool.finish(),
    fail: serverFailed,
  });
  if (stream === null) return null;
  kept.answer?.close();
  kept.answer = spool;
  spool.onDrain = () => stream.resume();
  return Promise.race([spool.done, broken]).then((end) => {
    if (end === 'whole') putInPlace(x, spool);
    else stream.cancel();
    return end;
  });
}

function putInPlace(x: Exchange, spool: Spool): void {
  setHeader(x.responseHeaders, 'content-length', String(spool.length));
  const bytes = spool.bytes();
  x.answerBody = bytes ?? '';
  if (bytes !== null) return;
  // Before the filters of middlewares further in: what they change is what the server sent.
  x.filters ??= [];
  x.filters.unshift((below) => new StoredAnswer(below, x, spool));
}
