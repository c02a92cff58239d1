// HTTP/2 on Node: its sessions with their bounds, and its streams as requests.

import { constants, type ServerHttp2Session, type ServerHttp2Stream, type ServerOptions } from 'node:http2';
import { TLSSocket } from 'node:tls';
import { headerSlop, type Intake } from '../intake.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { NodeBody } from './body.ts';
import { certificatesOf } from './certificates.ts';
import type { Door } from './door.ts';
import { Http2Downstream } from './http2-downstream.ts';
import { firstBytesTimeout, maxConcurrentStreams, maxHeaderPairs, maxSessionMemory } from './limits.ts';
import { maxControlFramesPerSecond, maxResetsPerSecond } from './limits.ts';
import { peerOf } from './peer-address.ts';
import { feedHttp2 } from './request-head.ts';
import { Rate } from './rate.ts';

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
  };
}

export class Http2 {
  readonly #door: Door;
  readonly #intake: Intake;
  readonly #stopwatch: Stopwatch;
  readonly #sessions = new Map<ServerHttp2Session, Session>();

  constructor(door: Door, intake: Intake, stopwatch: Stopwatch) {
    this.#door = door;
    this.#intake = intake;
    this.#stopwatch = stopwatch;
  }

  opened(session: ServerHttp2Session): void {
    const own = new Session(session, this.#door);
    this.#sessions.set(session, own);
    session.on('close', () => this.#sessions.delete(session));
    session.on('error', ignore);
    session.on('stream', (...args: readonly unknown[]) =>
      this.#request(own, args[0] as ServerHttp2Stream, args[3] as readonly string[]),
    );
  }

  /** No stream is begun any more; those there go on. */
  stopAccepting(): void {
    for (const session of this.#sessions.keys()) session.close();
  }

  close(): void {
    for (const session of this.#sessions.keys()) session.destroy();
  }

  #request(session: Session, stream: ServerHttp2Stream, raw: readonly string[]): void {
    const downstream = new Http2Downstream(stream);
    session.began(stream, downstream);
    const { host, entryPoint, scheme } = this.#door;
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
      scheme,
    };
    const isGeneral = pseudo.path === '*' && pseudo.method === 'OPTIONS' && read.refuse === 0;
    const sides = { downstream, body: downstream.body, isHandshake: false };
    const x = isGeneral ? 200 : this.#intake.build(wire, read, sides);
    if (typeof x === 'number') {
      downstream.respond(x, [], '', false);
      host.refused(entryPoint, x);
      return;
    }
    x.protocol = 'HTTP/2.0';
    x.clientCertificates = session.certificates;
    downstream.exchange = x;
    this.#stopwatch.watch(downstream);
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
          if (!stream.destroyed && !stream.headersSent) stream.additionalHeaders({ ':status': 100 });
        }
      : null,
  });
}

/** One client's session, and the floods it must not be used for. */
class Session {
  readonly peer: string;
  readonly certificates: readonly Uint8Array[] | null;
  readonly #session: ServerHttp2Session;
  readonly #door: Door;
  readonly #openedAt = performance.now();
  readonly #resets = new Rate(maxResetsPerSecond);
  readonly #control = new Rate(maxControlFramesPerSecond);
  #begun = 0;
  #open = 0;

  constructor(session: ServerHttp2Session, door: Door) {
    this.#session = session;
    this.#door = door;
    const { socket } = session;
    this.peer = peerOf(socket);
    this.certificates = socket instanceof TLSSocket ? certificatesOf(socket) : null;
    const { idleTimeout } = door.entryPoint.spec.transport;
    // A head that never ends is no stream yet: this ends it as well.
    session.setTimeout(idleTimeout === 0 ? firstBytesTimeout : idleTimeout, () => {
      if (this.#open === 0) session.close();
    });
    const control = (): void => {
      if (this.#control.isOver()) this.#calmDown();
    };
    session.on('remoteSettings', control);
    session.on('ping', control);
  }

  began(stream: ServerHttp2Stream, downstream: Http2Downstream): void {
    this.#open += 1;
    this.#begun += 1;
    stream.on('close', () => {
      this.#open -= 1;
      if (downstream.aborted && this.#resets.isOver()) this.#calmDown();
    });
    const { keepAliveMaxRequests, keepAliveMaxTime } = this.#door.entryPoint.spec.transport;
    const isSpent =
      (keepAliveMaxRequests > 0 && this.#begun >= keepAliveMaxRequests) ||
      (keepAliveMaxTime > 0 && performance.now() - this.#openedAt >= keepAliveMaxTime);
    if (isSpent && !this.#session.closed) this.#session.close();
  }

  #calmDown(): void {
    if (this.#session.destroyed) return;
    this.#session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    this.#session.destroy();
  }
}

function ignore(): void {}
