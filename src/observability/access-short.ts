// Access log lines for people with `jq`: five members, times as words.

import type { AccessLogSettings } from '../model/settings.ts';
import type { LineFormat } from './access-clf.ts';
import { createUtcText } from './clock-text.ts';
import { jsonOfBytes } from './log-text.ts';

/** `{"time":"2024-01-01T12:00:00Z","status":200,"method":"POST","path":"/mcp","duration":"5ms"}` */
export function buildShort(fields: AccessLogSettings['fields']): LineFormat {
  const clock = createUtcText();
  const keepsQuery = fields.queryParameters === 'keep';
  return (r) => {
    const path = jsonOfBytes(keepsQuery ? r.path + r.search : r.path);
    // Always milliseconds, so that `sort -n` puts them in order.
    const duration = Math.round(r.durationMs * 1000) / 1000;
    const time = clock(Math.floor(r.startedAt / 1000) * 1000);
    return `{"time":"${time}","status":${r.status},"method":${jsonOfBytes(r.method)},"path":${path},"duration":"${duration}ms"}\n`;
  };
}
