// What the points of the last minutes come to, and what a walk looks like: no page, only values.

import type { Listed, LiveEvent, Point, Service, Status, Walk } from './types.ts';

/** Seconds that are kept and shown. */
export const maxPoints = 300;

/** Old and new ones in order, each second once, the last 300. */
export function merged(old: readonly Point[], fresh: readonly Point[]): readonly Point[] {
  if (fresh.length === 0) return old;
  const first = fresh[0] as Point;
  const kept = old.filter(({ at }) => at < first.at);
  return [...kept, ...fresh].slice(-maxPoints);
}

export interface Traffic {
  readonly perSecond: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly requests: number;
  readonly clientErrors: number;
  readonly serverErrors: number;
  readonly authHits: number;
  readonly authAsked: number;
}

/** Rate and latencies over the last ten seconds, the rest over all points. */
export function traffic(points: readonly Point[]): Traffic {
  const recent = points.slice(-10);
  const sum = (of: (point: Point) => number, over = points): number =>
    over.reduce((total, point) => total + of(point), 0);
  const hits = sum(({ authHits }) => authHits);
  const latest = recent.findLast(({ requests }) => requests > 0);
  return {
    perSecond: recent.length === 0 ? 0 : sum(({ requests }) => requests, recent) / recent.length,
    p50: latest?.p50 ?? null,
    p99: latest?.p99 ?? null,
    requests: sum(({ requests }) => requests),
    clientErrors: sum(({ clientErrors }) => clientErrors),
    serverErrors: sum(({ serverErrors }) => serverErrors),
    authHits: hits,
    authAsked: hits + sum(({ authMisses }) => authMisses),
  };
}

/** Columns for a chart: seconds, then one list per line. Seconds that are missing have no value. */
export function columns(
  points: readonly Point[],
  lines: readonly ((point: Point) => number | null)[],
): (number | null)[][] {
  const out: (number | null)[][] = [[], ...lines.map(() => [])];
  let before: number | null = null;
  for (const point of points) {
    // One second may fall between two ticks of a clock; a longer hole is one.
    if (before !== null && point.at - before > 2) {
      out[0]?.push(before + 1);
      for (const [index] of lines.entries()) out[index + 1]?.push(null);
    }
    out[0]?.push(point.at);
    for (const [index, line] of lines.entries()) out[index + 1]?.push(line(point));
    before = point.at;
  }
  return out;
}

export interface Step {
  readonly kind: 'entry point' | 'rule' | 'middleware' | 'service' | 'server';
  readonly title: string;
  /** Page and id it leads to; null for none. */
  readonly link: readonly [page: string, id: string] | null;
  readonly detail: string;
  readonly status: Status | 'missing' | 'down';
  readonly why: readonly string[];
}

/** A router's walk, column by column. */
export function stepsOf(walk: Walk): readonly (readonly Step[])[] {
  const { router } = walk;
  const rule: Step = {
    kind: 'rule',
    title: router.rule ?? '',
    link: null,
    detail: `priority ${router.priorityStr ?? '–'}${router.tls === undefined ? '' : ', TLS'}`,
    status: router.status ?? 'enabled',
    why: router.error ?? [],
  };
  const columnsOf: (readonly Step[])[] = [
    walk.entryPoints.map((point) => ({
      kind: 'entry point' as const,
      title: point.name,
      link: ['entrypoints', point.name] as const,
      detail: [point.address, point.engine, point.side].filter(Boolean).join(' · '),
      status: 'enabled' as const,
      why: [],
    })),
    [rule],
    ...walk.middlewares.map((one) => [objectStep('middleware', one)]),
  ];
  columnsOf.push(...serviceColumns(walk));
  return columnsOf.filter((column) => column.length > 0);
}

/** Services level by level, then all servers. */
function serviceColumns({ services, children }: Walk): Step[][] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const levels: Step[][] = [];
  const seen = new Set<string>();
  let names: readonly string[] = services[0] === undefined ? [] : [services[0].name];
  while (names.length > 0) {
    const level = names.filter((name) => !seen.has(name));
    for (const name of level) seen.add(name);
    if (level.length > 0)
      levels.push(level.map((name) => objectStep('service', byName.get(name) ?? { name })));
    names = [...new Set(level.flatMap((name) => children[name] ?? []))];
  }
  const servers = services.flatMap(serversOf);
  if (servers.length > 0) levels.push(servers);
  return levels;
}

function serversOf(service: Service): Step[] {
  return (service.loadBalancer?.servers ?? []).map((server) => {
    const isDown = service.serverStatus?.[originOf(server.url)] === 'DOWN';
    return {
      kind: 'server',
      title: server.url,
      link: null,
      detail: [
        server.weight === undefined ? '' : `weight ${server.weight}`,
        server.drain === true ? 'draining' : '',
      ]
        .filter((text) => text !== '')
        .join(', '),
      status: isDown ? 'down' : 'enabled',
      why: [],
    };
  });
}

/** The API keeps states by scheme, host and port. */
export function originOf(url: string): string {
  return /^[a-z0-9+.-]+:\/\/[^/?#]*/i.exec(url)?.[0] ?? url;
}

function objectStep(kind: 'middleware' | 'service', item: Listed): Step {
  return {
    kind,
    title: item.name,
    link: item.status === undefined ? null : [`${kind}s`, item.name],
    detail: item.type ?? '',
    status: item.status ?? 'missing',
    why: item.status === undefined ? [`there is no ${kind} of this name`] : (item.error ?? []),
  };
}

/** What a middleware or a service was told: what it has beside the fields all have. */
export function optionsOf(item: Listed): readonly (readonly [key: string, value: unknown])[] {
  const common = new Set(['name', 'provider', 'status', 'error', 'usedBy', 'type', 'serverStatus', 'using']);
  return Object.entries(item).filter(([key]) => !common.has(key));
}

/** A server's ups and downs, the youngest first. */
export function historyOf(events: readonly LiveEvent[], service: string): readonly LiveEvent[] {
  return events.filter((event) => event.kind === 'server' && event.service === service);
}
