// The end of an Exchange, told once: the access log's line, and the process log's when it went wrong.

import type { AccessLog } from '../observability/access-log.ts';
import { type AccessRecord, createAccessRecord } from '../observability/access-record.ts';
import type { Log } from '../observability/log.ts';
import type { EntryPoint } from './entrypoints/entry-point.ts';
import type { GatewayError } from './errors.ts';
import type { Exchange } from './exchange.ts';

/** One for a worker: the record it fills is filled anew for each Exchange. */
export class Recorder {
  readonly #accessLog: AccessLog | null;
  readonly #log: Log;
  readonly #record: AccessRecord = createAccessRecord();
  readonly #debugs: boolean;

  constructor(accessLog: AccessLog | null, log: Log) {
    this.#accessLog = accessLog;
    this.#log = log;
    this.#debugs = log.level === 'debug' || log.level === 'trace';
  }

  /** `now`: `performance.now()`. */
  ended(x: Exchange, now: number): void {
    if (x.error !== null) this.#logError(x, x.error);
    if (this.#accessLog === null || !x.entryPoint.spec.accessLogs || x.route?.accessLogs === false) return;
    this.#fill(x, now);
    this.#accessLog.write(this.#record);
  }

  /** Refused before there was anything to log it under: a count for the curious, no line for the flooder. */
  refused(entryPoint: EntryPoint, status: number): void {
    if (this.#debugs)
      this.#log.debug({ entryPointName: entryPoint.name, status }, 'Request refused at intake');
  }

  #logError(x: Exchange, error: GatewayError): void {
    if (error.blame === 'client' && !this.#debugs) return;
    const fields = {
      code: error.code,
      blame: error.blame,
      entryPointName: x.entryPoint.name,
      routerName: x.route?.name,
      serviceName: x.route?.service.name,
      serverUrl: x.server?.url,
      retries: x.retries,
      reason: error.message,
    };
    if (error.code === 'gateway.bug') {
      const cause = error.cause;
      const stack = cause instanceof Error ? cause.stack : error.stack;
      this.#log.error({ ...fields, stack }, 'A bug of the gateway failed a request');
    } else if (error.blame === 'client') {
      this.#log.debug(fields, 'Request failed');
    } else {
      this.#log.warn(fields, 'Request failed');
    }
  }

  #fill(x: Exchange, now: number): void {
    const record = this.#record;
    record.startedAt = performance.timeOrigin + x.startedAt;
    record.durationMs = now - x.startedAt;
    record.originMs = x.originMs;
    // A server that gave no answer is logged with the answer given for it.
    record.originStatus = x.originStatus === 0 ? x.status : x.originStatus;
    record.originBytes = x.originBytes === -1 ? x.bytesOut : x.originBytes;
    record.status = x.status;
    record.bytesOut = x.bytesOut;
    record.bytesIn = x.bytesIn;
    record.retries = x.retries;
    record.entryPoint = x.entryPoint.name;
    record.routerName = x.route?.name ?? null;
    record.serviceName = x.route?.service.name ?? null;
    record.serverUrl = x.server?.url ?? null;
    record.peer = x.peer;
    record.forwardedFor = x.forwardedFor;
    record.username = x.username;
    record.tlsVersion = x.tls?.version ?? null;
    record.tlsCipher = x.tls?.cipher ?? null;
    record.tlsClientSubject = x.tls?.clientSubject ?? null;
    record.traceId = x.trace?.traceId ?? null;
    record.spanId = x.trace?.spanId ?? null;
    record.method = x.method;
    record.scheme = x.scheme;
    record.protocol = x.protocol;
    record.authority = x.requestAuthority;
    record.path = x.requestPath;
    record.search = x.search;
    record.requestHeaders = x.headers;
    record.responseHeaders = x.responseHeaders;
    record.originHeaders = x.originHeaders;
  }
}
