// Access log lines in Common Log Format, Traefik's extended one and the generic one.

import type { AccessLogSettings } from '../model/settings.ts';
import { fieldFilter } from './access-fields.ts';
import { headerForClf, headerMode } from './access-headers.ts';
import type { AccessRecord } from './access-record.ts';
import { createClfText } from './clock-text.ts';
import { clfText } from './log-text.ts';

/** One line with its line break; `count` numbers the requests of this worker. */
export type LineFormat = (record: AccessRecord, count: number) => string;

/** `isExtended`: with count, router, server and duration, as Traefik adds them. */
export function buildClf(fields: AccessLogSettings['fields'], isExtended: boolean): LineFormat {
  const keeps = fieldFilter(fields);
  const head = buildHead(fields);
  if (!isExtended) return (record) => `${head(record)}\n`;
  const keepsCount = keeps('RequestCount');
  const keepsRouter = keeps('RouterName');
  const keepsServer = keeps('ServiceURL');
  const keepsDuration = keeps('Duration');
  return (r, count) => {
    const router = quoted(keepsRouter && r.routerName !== null ? r.routerName : '');
    const server = quoted(keepsServer && r.serverUrl !== null ? r.serverUrl : '');
    const ms = keepsDuration ? Math.floor(r.durationMs) : 0;
    return `${head(r)} ${keepsCount ? count : '-'} ${router} ${server} ${ms}ms\n`;
  };
}

function buildHead(fields: AccessLogSettings['fields']): (record: AccessRecord) => string {
  const keeps = fieldFilter(fields);
  const clock = createClfText();
  const has = {
    host: keeps('ClientHost'),
    username: keeps('ClientUsername'),
    time: keeps('StartUTC') || keeps('StartLocal'),
    method: keeps('RequestMethod'),
    path: keeps('RequestPath'),
    protocol: keeps('RequestProtocol'),
    status: keeps('DownstreamStatus'),
    size: keeps('DownstreamContentSize'),
    query: fields.queryParameters === 'keep',
  };
  const referer = headerMode(fields, 'referer');
  const userAgent = headerMode(fields, 'user-agent');
  return (r) => {
    const host = has.host ? hosts(r.forwardedFor ?? r.peer) : '-';
    const user = has.username && r.username !== null ? column(r.username) : '-';
    const path = has.path ? orDash(has.query ? r.path + r.search : r.path) : '-';
    const request = `${has.method ? orDash(r.method) : '-'} ${path} ${has.protocol ? orDash(r.protocol) : '-'}`;
    const numbers = `${has.status ? r.status : '-'} ${has.size ? r.bytesOut : '-'}`;
    const agents = `${quoted(headerForClf(referer, r.requestHeaders, 'referer'))} ${quoted(headerForClf(userAgent, r.requestHeaders, 'user-agent'))}`;
    return `${host} - ${user} [${has.time ? clock(r.startedAt) : '-'}] "${request}" ${numbers} ${agents}`;
  };
}

function orDash(value: string): string {
  return value === '' ? '-' : clfText(value);
}

/** Hops in one column: trusted ones pass on what clients wrote, which must not look like a user or a time. */
function hosts(value: string): string {
  return value.includes(' ') ? column(value.replaceAll(', ', ',')) : orDash(value);
}

/** A name with a space in it must not look like two columns. */
function column(value: string): string {
  const text = orDash(value);
  return text.includes(' ') ? text.replaceAll(' ', '\\x20') : text;
}

function quoted(value: string): string {
  return value === '' ? '"-"' : `"${clfText(value)}"`;
}
