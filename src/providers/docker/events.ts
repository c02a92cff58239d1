// The engine's event stream: bytes to lines, lines to what a route could depend on.

/** Bytes of one line; an engine's own are below 100 KiB even with hundreds of labels. */
export const maxEventLine: number = 1024 * 1024;

export interface EngineEvent {
  /** Of the container; empty when the event names none. */
  readonly container: string;
  /**
   * `gone`: it takes no more requests. `leaving`: it was told to stop. `sick`: its health check failed.
   * `started`: it runs anew. `changed`: look again. `garbage`: the line made no sense, so anything may have
   * happened.
   */
  readonly kind: 'gone' | 'leaving' | 'sick' | 'started' | 'changed' | 'garbage';
}

/** Splits at line feeds. `push` throws when a line is longer than `maxEventLine`. */
export function createLineSplitter(take: (line: string) => void): { push(chunk: Buffer): void } {
  let parts: Buffer[] = [];
  let size = 0;
  return {
    push(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
        parts.push(chunk.subarray(from, at));
        size += at - from;
        if (size > maxEventLine) throw new RangeError(`an event is longer than ${maxEventLine} bytes`);
        const line = Buffer.concat(parts).toString('utf8').trim();
        parts = [];
        size = 0;
        from = at + 1;
        if (line !== '') take(line);
      }
      if (from < chunk.length) parts.push(from === 0 ? chunk : chunk.subarray(from));
      size += chunk.length - from;
      if (size > maxEventLine) throw new RangeError(`an event is longer than ${maxEventLine} bytes`);
    },
  };
}

/** Null: nothing a route depends on. */
export function readEvent(line: string): EngineEvent | null {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return garbage;
  }
  if (typeof json !== 'object' || json === null) return garbage;
  const { Type, Action, Actor, status, id } = json as RawEvent;
  const actor = typeof Actor === 'object' && Actor !== null ? (Actor as RawActor) : {};
  const attributes = (actor.Attributes ?? {}) as Readonly<Record<string, unknown>>;
  const action = text(Action) || text(status);
  // An engine this old names no type, and tells of containers in the top fields.
  if (Type === undefined || Type === 'container')
    return containerEvent(action, text(actor.ID) || text(id), attributes);
  if (Type === 'network' && (action === 'connect' || action === 'disconnect'))
    return { kind: 'changed', container: text(attributes['container']) };
  return null;
}

interface RawEvent {
  readonly Type?: unknown;
  readonly Action?: unknown;
  readonly Actor?: unknown;
  readonly status?: unknown;
  readonly id?: unknown;
}

interface RawActor {
  readonly ID?: unknown;
  readonly Attributes?: unknown;
}

const garbage: EngineEvent = { kind: 'garbage', container: '' };

const gone = new Set(['die', 'died', 'stop', 'destroy', 'remove', 'pause', 'cleanup']);
const started = new Set(['start', 'restart', 'unpause']);
const changed = new Set(['rename', 'update', 'sync']);
/** HUP, USR1, USR2, CONT, WINCH: what programs are told to read their configuration with. */
const harmlessSignals = new Set(['1', '10', '12', '18', '28', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT']);

function containerEvent(
  action: string,
  container: string,
  attributes: Readonly<Record<string, unknown>>,
): EngineEvent | null {
  if (container === '') return garbage;
  if (gone.has(action)) return { kind: 'gone', container };
  if (action === 'kill') {
    const isHarmless = harmlessSignals.has(text(attributes['signal']));
    return { kind: isHarmless ? 'changed' : 'leaving', container };
  }
  if (started.has(action)) return { kind: 'started', container };
  if (/^health_status\b.*\bunhealthy$/.test(action)) return { kind: 'sick', container };
  return changed.has(action) || action.startsWith('health_status') ? { kind: 'changed', container } : null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
