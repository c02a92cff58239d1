// An Exchange at its end, as the metrics count it: nothing is made here, and a few numbers are added.

import type { Counted } from '../observability/cells.ts';
import type { Meter } from '../observability/meter.ts';
import {
  grpcProtocol,
  grpcWebProtocol,
  headerStep,
  plainProtocol,
  requestKey,
  sseProtocol,
  tlsKey,
  webSocketProtocol,
} from '../observability/request-key.ts';
import type { WorkerMeters } from '../observability/worker-metrics.ts';
import type { Exchange } from './exchange.ts';
import { getHeader } from './headers.ts';

/** gRPC's own number for "unknown", and the highest it has. */
const grpcUnknown = 2;
const grpcMost = 16;

/** One for a worker: what it fills is filled anew for each Exchange. */
export class Metering {
  readonly #meters: WorkerMeters;
  readonly #hasHeaderLabels: boolean;
  /** One for all. */
  readonly #counted: Counted = { key: 0, seconds: 0, bytesIn: 0, bytesOut: 0, bucket: 0 };

  constructor(meters: WorkerMeters) {
    this.#meters = meters;
    this.#hasHeaderLabels = !meters.headerLabels.isEmpty;
  }

  /** `entryPoint`: the meter of the one it came by. `now`: `performance.now()`. */
  ended(x: Exchange, entryPoint: Meter | null, now: number): void {
    const { route } = x;
    if (route?.isMetered === false) return;
    const counted = this.#counted;
    const protocol = protocolOf(x);
    const isGrpc = protocol === grpcProtocol || protocol === grpcWebProtocol;
    counted.key = requestKey(isGrpc ? grpcCode(x) : codeOf(x.status), x.method, protocol);
    counted.bytesIn = x.bytesIn;
    counted.bytesOut = x.bytesOut;
    this.#time((now - x.startedAt) / 1000);
    if (x.authTimes !== null && !x.isUpgrade) x.authTimes.observe(counted.seconds);
    if (entryPoint !== null) this.#count(x, entryPoint);
    const router = route?.meter ?? null;
    if (router !== null) this.#count(x, router);
    const service = x.server?.meter ?? null;
    if (service === null) return;
    // Without a whole answer, and for tunnels, all of it.
    if (x.originMs >= 0) this.#time(x.originMs / 1000);
    if (x.retries > 0) this.#meters.retried(service, x.retries);
    this.#count(x, service);
  }

  #time(seconds: number): void {
    this.#counted.seconds = seconds;
    this.#counted.bucket = this.#meters.cells.bucketOf(seconds);
  }

  #count(x: Exchange, meter: Meter): void {
    meter.count(this.#counted);
    if (x.scheme === 'https') meter.countKey(tlsKey(x.tls?.terms ?? 0));
    if (!this.#hasHeaderLabels) return;
    const headers = this.#meters.headerLabels.numberOf(x.headers);
    meter.countKey(this.#counted.key + headers * headerStep);
  }
}

/** Keys have three digits: what a client that left was never sent counts as it is logged. */
function codeOf(status: number): number {
  return status >= 0 && status <= 999 ? status : 0;
}

function protocolOf(x: Exchange): number {
  if (x.isUpgrade) return webSocketProtocol;
  const { headers } = x;
  let found = plainProtocol;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name === 'accept') {
      if (listsEventStream(headers[i + 1] as string)) return sseProtocol;
    } else if (name === 'content-type') {
      const value = headers[i + 1] as string;
      if (value.startsWith('application/grpc'))
        found = value.startsWith('application/grpc-web') ? grpcWebProtocol : grpcProtocol;
    }
  }
  return found;
}

/** As one of the list, without parameters: what Traefik looks for. */
function listsEventStream(accept: string): boolean {
  if (accept === 'text/event-stream') return true;
  const lower = accept.length > 16 && accept.length < 1024 ? accept.toLowerCase() : '';
  return (
    lower.includes('text/event-stream') && lower.split(',').some((one) => one.trim() === 'text/event-stream')
  );
}

function grpcCode(x: Exchange): number {
  const text =
    getHeader(x.responseHeaders, 'grpc-status') ??
    (x.trailers === null ? null : getHeader(x.trailers, 'grpc-status'));
  const code = text === null || text === '' ? Number.NaN : Number(text);
  return Number.isInteger(code) && code >= 0 && code <= grpcMost ? code : grpcUnknown;
}
