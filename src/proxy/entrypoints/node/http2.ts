// HTTP/2 on Node: its sessions with their bounds, and its streams as requests.

import type { ServerHttp2Session, ServerHttp2Stream, ServerOptions } from 'node:http2';
import { headerSlop, type Intake } from '../intake.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { NodeBody } from './body.ts';
import type { Door } from './door.ts';
import { Http2Downstream } from './http2-downstream.ts';
import { type Arriving, Session } from './http2-session.ts';
import { maxConcurrentStreams, maxHeaderPairs, maxResetsPerSecond, maxSessionMemory } from './limits.ts';
import { feedHttp2 } from './request-head.ts';

export function http2Options({ spec }: Door['entryPoint']): ServerOptions {
  return {
    maxSessionMemory,
    maxHeaderListPairs: maxHeaderPairs,
    streamResetBurst: maxResetsPerSecond,
    streamResetRate: maxResetsPerSecond,
    settings: {
      maxConcurrentStreams: spec.http2?.maxConcurrentStreams ?? maxConcurrentStreams,
      maxHeaderListSize: spec.http.maxHeaderBytes + headerSlop,
      headerTableSize: spec.http2?.maxDecoderHeaderTableSize ?? 4096,
      enablePush: false,
    },
    maxDeflateDynamicTableSize: spec.http2?.maxEncoderHeaderTableSize ?? 4096,
    // What a server may say twice is for the client to judge, as over HTTP/1: else the library throws.
    ...({ strictSingleValueFields: false } as object),
  };
}

export class Http2 {
  readonly #door: Door;
  readonly #intake: Intake;
  readonly #stopwatch: Stopwatch;
  readonly #sessions = new Map<ServerHttp2Session, Session>();
  /** Only while there are sessions. */
  #looking: NodeJS.Timeout | null = null;

  constructor(door: Door, intake: Intake, stopwatch: Stopwatch) {
    this.#door = door;
    this.#intake = intake;
    this.#stopwatch = stopwatch;
  }

  opened(session: ServerHttp2Session, arriving: Arriving): void {
    const own = new Session(session, arriving, this.#door);
    this.#sessions.set(session, own);
    session.on('close', () => this.#left(session));
    this.#looking ??= setInterval(() => this.#look(), 1000).unref();
    session.on('error', ignore);
    session.on('stream', (...args: readonly unknown[]) =>
      this.#request(own, args[0] as ServerHttp2Stream, args[3] as readonly string[]),
    );
  }

  #left(session: ServerHttp2Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0 || this.#looking === null) return;
    clearInterval(this.#looking);
    this.#looking = null;
  }

  #look(): void {
    for (const own of this.#sessions.values()) own.look();
  }

  /** No stream is begun any more; those there go on. */
  stopAccepting(): void {
    for (const own of this.#sessions.values()) own.leave();
  }

  close(): void {
    for (const session of this.#sessions.keys()) session.destroy();
  }

  #request(session: Session, stream: ServerHttp2Stream, raw: readonly string[]): void {
    const downstream = new Http2Downstream(stream);
    session.began(stream, downstream);
    const { host, entryPoint } = this.#door;
    const { secured } = session;
    this.#intake.begin(session.peer, host.managedNames());
    const pseudo = feedHttp2(this.#intake, raw);
    const read = this.#intake.finish();
    const isWhole = stream.endAfterHeaders;
    if (pseudo.isBroken || read.chunked || !/^https?$/i.test(pseudo.scheme)) read.refuse ||= 400;
    if (pseudo.method === 'CONNECT') read.refuse ||= 501;
    if (isWhole && read.contentLength > 0) read.refuse ||= 400;
    if (!isWhole && read.contentLength !== 0) downstream.body = bodyOf(stream, raw, read.contentLength);
    const mark = pseudo.path.indexOf('?');
    const wire = {
      method: pseudo.method,
      rawPath: mark === -1 ? pseudo.path : pseudo.path.slice(0, mark),
      rawQuery: mark === -1 ? '' : pseudo.path.slice(mark + 1),
      peer: session.peer,
      scheme: secured === null ? ('http' as const) : ('https' as const),
    };
    const isGeneral = pseudo.path === '*' && pseudo.method === 'OPTIONS' && read.refuse === 0;
    const sides = { downstream, body: downstream.body, isHandshake: false };
    let x = isGeneral ? 200 : this.#intake.build(wire, read, sides);
    if (typeof x !== 'number' && secured !== null && this.#door.isMisdirected(x.host, secured)) x = 421;
    if (typeof x === 'number') {
      downstream.respond(x, [], '', false);
      host.refused(entryPoint, x);
      return;
    }
    x.protocol = 'HTTP/2.0';
    if (secured !== null) {
      x.clientCertificates = secured.certificates;
      x.tls = secured.facts;
    }
    downstream.exchange = x;
    this.#stopwatch.watch(downstream, x);
    host.serve(x);
  }
}

function bodyOf(stream: ServerHttp2Stream, raw: readonly string[], contentLength: number): NodeBody {
  const expects = raw.some(
    (text, i) => i % 2 === 0 && text === 'expect' && /^100-continue$/i.test(raw[i + 1] ?? ''),
  );
  return new NodeBody(stream, {
    length: contentLength === -1 ? null : contentLength,
    wanted: expects
      ? () => {
          if (!stream.destroyed && !stream.closed && !stream.headersSent)
            stream.additionalHeaders({ ':status': 100 });
        }
      : null,
  });
}

function ignore(): void {}
