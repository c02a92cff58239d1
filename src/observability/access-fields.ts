// The fields of a JSON access log line: Traefik's names, units and spelling.

import type { AccessLogSettings } from '../model/settings.ts';
import type { AccessRecord } from './access-record.ts';
import { createLocalText, createUtcText } from './clock-text.ts';
import { jsonOfBytes } from './log-text.ts';

/** A JSON value, or null to leave the field out. */
type FieldValue = (record: AccessRecord, count: number) => string | null;

export interface AccessField {
  /** `,"RequestMethod":` */
  readonly key: string;
  readonly value: FieldValue;
}

/** The fields that are kept, in the order of their names. */
export function keptFields(fields: AccessLogSettings['fields']): readonly AccessField[] {
  const keeps = fieldFilter(fields);
  const all = allFields(fields.queryParameters === 'keep');
  return Object.entries(all)
    .filter(([name]) => keeps(name))
    .map(([name, value]) => ({ key: `,"${name}":`, value }));
}

/** Names are compared without regard to case, as flags and env carry them. */
export function fieldFilter(fields: AccessLogSettings['fields']): (name: string) => boolean {
  const modes = new Map(Object.entries(fields.names).map(([name, mode]) => [name.toLowerCase(), mode]));
  return (name) => (modes.get(name.toLowerCase()) ?? fields.defaultMode) === 'keep';
}

/** Sorted by name, byte by byte. */
function allFields(keepsQuery: boolean): Readonly<Record<string, FieldValue>> {
  const utc = createUtcText();
  const local = createLocalText(true);
  return {
    ClientAddr: text(clientAddress),
    ClientHost: text((r) => r.forwardedFor ?? r.peer),
    ClientPort: (r) => (r.peerPort === 0 ? null : `"${r.peerPort}"`),
    ClientUsername: (r) => (r.username === null || r.username === '' ? '"-"' : jsonOfBytes(r.username)),
    DownstreamContentSize: (r) => `${r.bytesOut}`,
    DownstreamStatus: (r) => `${r.status}`,
    Duration: (r) => nanos(r.durationMs),
    GzipRatio: gzipRatio,
    OriginContentSize: (r) => (r.originMs < 0 ? null : `${r.originBytes}`),
    OriginDuration: (r) => (r.originMs < 0 ? null : nanos(r.originMs)),
    OriginStatus: (r) => (r.originMs < 0 ? null : `${r.originStatus}`),
    Overhead: (r) => nanos(r.originMs < 0 ? r.durationMs : r.durationMs - r.originMs),
    RequestAddr: text((r) => r.authority),
    RequestContentSize: (r) => `${r.bytesIn}`,
    RequestCount: (_, count) => `${count}`,
    RequestHost: text((r) => r.authority, hostOf),
    RequestMethod: text((r) => r.method),
    RequestPath: keepsQuery
      ? (r) => jsonOfBytes(r.search === '' ? r.path : r.path + r.search)
      : (r) => jsonOfBytes(r.path),
    RequestPort: text((r) => r.authority, portOf),
    RequestProtocol: text((r) => r.protocol),
    RequestScheme: text((r) => r.scheme),
    RetryAttempts: (r) => `${r.retries}`,
    RouterName: text((r) => r.routerName),
    ServiceAddr: text((r) => r.serverUrl, addressOf),
    ServiceName: text((r) => r.serviceName),
    ServiceURL: text((r) => r.serverUrl),
    SpanId: text((r) => r.spanId),
    StartLocal: (r) => `"${local(r.startedAt)}"`,
    StartUTC: (r) => `"${utc(r.startedAt)}"`,
    TLSCipher: text((r) => r.tlsCipher),
    TLSClientSubject: text((r) => r.tlsClientSubject),
    TLSVersion: text((r) => r.tlsVersion),
    TraceId: text((r) => r.traceId),
  };
}

/** Texts that come again from line to line: the last one's JSON is kept. */
function text(read: (record: AccessRecord) => string | null, part = whole): FieldValue {
  let lastText: string | null = null;
  let lastJson: string | null = null;
  return (record) => {
    const now = read(record);
    if (now !== lastText) {
      lastText = now;
      lastJson = now === null ? null : jsonOfBytes(part(now));
    }
    return lastJson;
  };
}

function whole(value: string): string {
  return value;
}

/** Whole nanoseconds of milliseconds. */
function nanos(ms: number): string {
  return `${Math.round(ms * 1e6)}`;
}

function clientAddress(r: AccessRecord): string {
  if (r.peerPort === 0) return r.peer;
  return r.peer.includes(':') ? `[${r.peer}]:${r.peerPort}` : `${r.peer}:${r.peerPort}`;
}

function gzipRatio(r: AccessRecord): string | null {
  const isChanged = r.originMs >= 0 && r.originBytes !== r.bytesOut && r.originBytes > 0 && r.bytesOut > 0;
  return isChanged ? `${r.originBytes / r.bytesOut}` : null;
}

function portColon(authority: string): number {
  const colon = authority.lastIndexOf(':');
  return colon === -1 || authority.includes(']', colon) ? -1 : colon;
}

function hostOf(authority: string): string {
  const colon = portColon(authority);
  return colon === -1 ? authority : authority.slice(0, colon);
}

function portOf(authority: string): string {
  const colon = portColon(authority);
  return colon === -1 ? '-' : authority.slice(colon + 1);
}

function addressOf(url: string): string {
  const at = url.indexOf('://');
  return at === -1 ? url : url.slice(at + 3);
}
