// Access log lines as JSON objects: one a line, keys sorted.

import type { AccessLogSettings } from '../model/settings.ts';
import type { LineFormat } from './access-clf.ts';
import { type AccessField, keptFields } from './access-fields.ts';
import { buildHeaderMembers } from './access-headers.ts';
import type { AccessRecord } from './access-record.ts';
import { createLocalText } from './clock-text.ts';
import { jsonOfBytes } from './log-text.ts';

/** Fields that are dropped cost nothing per line. */
export function buildJson(fields: AccessLogSettings['fields']): LineFormat {
  const kept = keptFields(fields);
  const downstream = buildHeaderMembers(fields, 'downstream_');
  const origin = buildHeaderMembers(fields, 'origin_');
  const request = buildHeaderMembers(fields, 'request_');
  const clock = createLocalText(false);
  return (r, count) => {
    let line = '';
    for (let i = 0; i < kept.length; i++) {
      const field = kept[i] as AccessField;
      const value = field.value(r, count);
      if (value !== null) line += field.key + value;
    }
    if (downstream !== null) line += downstream(r.responseHeaders);
    line += `,"entryPointName":${jsonOfBytes(r.entryPoint)},"level":"info","msg":""`;
    if (origin !== null && r.originHeaders !== null) line += origin(r.originHeaders);
    if (request !== null) line += request(r.requestHeaders);
    if (r.spanId !== null) line += `,"span_id":"${r.spanId}"`;
    // Every member came with a comma in front; the first one gives way to the brace.
    return `{${line.slice(1)},"time":"${clock(r.startedAt + r.durationMs)}"${trace(r)}}\n`;
  };
}

/** Beside `TraceId` and `SpanId`, under the names that log collectors look for. */
function trace(r: AccessRecord): string {
  return r.traceId === null ? '' : `,"trace_id":"${r.traceId}"`;
}
