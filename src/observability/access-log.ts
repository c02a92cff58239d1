// The access log: one line for each Exchange, when it has ended.

import type { AccessLogSettings } from '../model/settings.ts';
import { buildClf, type LineFormat } from './access-clf.ts';
import { writesHeaders } from './access-headers.ts';
import { buildJson } from './access-json.ts';
import type { AccessRecord } from './access-record.ts';
import { buildShort } from './access-short.ts';
import { createLineWriter, type LineWriter, type Unopened } from './line-writer.ts';

/** A write begins at the latest this long after the line came, or when this much has gathered. */
const flushDelayMs = 100;
const flushChars = 65_536;

export interface AccessLog {
  /** Copies what it needs: the record may be filled anew at once. */
  write(record: AccessRecord): void;
  /** Opens the file anew, after a rotation. Throws when it cannot; lines then go to the old one. */
  reopen(): void;
  /** Resolves when every line so far has left. */
  flush(): Promise<void>;
  flushSync(): void;
  /** Records should come with `originHeaders`. */
  readonly writesOriginHeaders: boolean;
  /** Lines lost because they came faster than they could be written. */
  readonly dropped: number;
}

export interface AccessLogEvents {
  /** Told of lost lines once there is room again. */
  readonly onDropped?: (lines: number) => void;
  /** Told of a file that cannot be opened, yet; absent: creating the log throws. */
  readonly unopened?: Omit<Unopened, 'fd'>;
}

/** A file that cannot be opened loses its lines; it is tried again, at most once a second, while there are some. */
export function createAccessLog(settings: AccessLogSettings, events: AccessLogEvents = {}): AccessLog {
  const format = buildFormat(settings);
  const passes = buildFilter(settings.filters);
  const open = (filePath: string | null): LineWriter =>
    createLineWriter({
      filePath,
      mode: 0o664,
      flushChars,
      flushLines: settings.bufferingSize > 0 ? settings.bufferingSize : Number.MAX_SAFE_INTEGER,
      flushDelayMs,
      onDropped: events.onDropped ?? (() => undefined),
      ...(events.unopened === undefined ? {} : { unopened: { fd: null, ...events.unopened } }),
      rotation: filePath === null ? null : (settings.rotation ?? null),
    });
  const writer = open(settings.filePath);
  const second = settings.dualOutput === true && settings.filePath !== null ? open(null) : null;
  const hidesInternals = !settings.addInternals;
  let count = 0;
  return {
    write(record) {
      count++;
      if (hidesInternals && record.serviceName?.endsWith('@internal') === true) return;
      if (passes !== null && !passes(record)) return;
      const line = format(record, count);
      writer.write(line);
      second?.write(line);
    },
    reopen: () => writer.reopen(),
    flush: async () => {
      await Promise.all([writer.flush(), second?.flush()]);
    },
    flushSync() {
      writer.flushSync();
      second?.flushSync();
    },
    writesOriginHeaders: settings.format === 'json' && writesHeaders(settings.fields),
    get dropped() {
      return writer.dropped + (second?.dropped ?? 0);
    },
  };
}

function buildFormat(settings: AccessLogSettings): LineFormat {
  if (settings.format === 'json') return buildJson(settings.fields);
  if (settings.format === 'short') return buildShort(settings.fields);
  return buildClf(settings.fields, settings.format === 'common');
}

/** A line is kept when any one of the configured filters passes it; null keeps all. */
function buildFilter(filters: AccessLogSettings['filters']): ((record: AccessRecord) => boolean) | null {
  const { statusCodes, retryAttempts, minDuration } = filters;
  if (statusCodes.length === 0 && !retryAttempts && minDuration <= 0) return null;
  return (record) => {
    for (let i = 0; i < statusCodes.length; i++) {
      const range = statusCodes[i] as readonly [number, number];
      if (record.status >= range[0] && record.status <= range[1]) return true;
    }
    if (retryAttempts && record.retries > 0) return true;
    return minDuration > 0 && record.durationMs > minDuration;
  };
}
