// What a soak does and what it allows, as data: kinds of requests with their pace, events, allowances, bounds.

export const kinds = [
  'kept',
  'new',
  'upload',
  'download',
  'zip',
  'cached',
  'uncached',
  'refused',
  'tls',
  'tls-new',
  'h2',
  'cookie',
  'session',
  'limited',
  'flaky',
  'page',
  'missing',
  'leave-upload',
  'leave-download',
  'socket',
] as const;
export type Kind = (typeof kinds)[number];

/** Requests a second over both nodes; a WebSocket says one thing a second. */
export const pace: Readonly<Record<Kind, number>> = {
  kept: 100,
  new: 30,
  upload: 10,
  download: 10,
  zip: 5,
  cached: 40,
  uncached: 15,
  refused: 5,
  tls: 25,
  'tls-new': 5,
  h2: 25,
  cookie: 20,
  session: 20,
  limited: 20,
  flaky: 15,
  page: 5,
  missing: 5,
  'leave-upload': 3,
  'leave-download': 3,
  socket: 20,
};

/** Milliseconds a request may take, from the first byte to the last. */
export const patience = 10_000;
/** Of the limited route: a second, and at once. */
export const limit = { average: 5, burst: 5 } as const;
export const userCount = 20;
export const sessionCount = 10;

/** `shaken` loses and replaces its workers; those of `steady` live as long as the soak, so that a leak shows. */
export type NodeName = 'shaken' | 'steady';
export type EventName = 'reload' | 'roll' | 'kill' | 'backend' | 'redis' | 'purge' | 'stall';

/** When in a period an event happens, as a part of it, and in which of so many periods. */
export interface Turn {
  readonly event: Exclude<EventName, 'stall'>;
  readonly at: number;
  /** Each how many periods, and which of these. */
  readonly every: number;
  readonly turn: number;
}

/** Of a long run with periods of a minute: Redis goes every ten minutes. */
export function schedule(redisEvery: number): readonly Turn[] {
  return [
    { event: 'reload', at: 0.08, every: 1, turn: 0 },
    { event: 'roll', at: 0.2, every: 2, turn: 0 },
    { event: 'kill', at: 0.2, every: 2, turn: 1 },
    { event: 'purge', at: 0.55, every: 1, turn: 0 },
    { event: 'backend', at: 0.6, every: 1, turn: 0 },
    { event: 'redis', at: 0.75, every: redisEvery, turn: redisEvery - 1 },
  ];
}

export interface Allowance {
  readonly event: EventName;
  readonly kinds: readonly Kind[] | 'all';
  readonly what: RegExp;
  /** Milliseconds before its begin and after its end. */
  readonly around: readonly [before: number, after: number];
  /** Failures for each time it happens. */
  readonly most: number;
  /** Only on connections the killed worker held, or that had just arrived. */
  readonly onVictim?: boolean;
  readonly why: string;
}

/** Milliseconds a timer of the soak itself is late when the machine stands still; Redis has 50 ms. */
export const stallMost = 100;

const streams: readonly Kind[] = ['upload', 'download', 'socket', 'leave-upload'];

/** A failure that none of these covers breaks the soak. */
export const allowances: readonly Allowance[] = [
  {
    event: 'kill',
    kinds: 'all',
    what: /^(ECONNRESET|EPIPE|cut|closed 1006|ERR_HTTP2\w*)$/,
    around: [500, 2_000],
    most: 64,
    onVictim: true,
    why: 'what was on the connections of a worker that was killed is lost',
  },
  {
    event: 'roll',
    kinds: 'all',
    what: /^ECONNRESET$/,
    around: [0, 2_000],
    most: 4,
    why: 'with net.ipv4.tcp_migrate_req=0 the kernel resets what waits in the queue of a listener that closes',
  },
  {
    event: 'backend',
    kinds: streams,
    what: /^(status 502|cut|ECONNRESET|closed 1\d\d\d|handshake 502)$/,
    around: [500, 2_000],
    most: 64,
    why: 'what had begun on a server that was stopped cannot be asked of another one',
  },
  {
    event: 'backend',
    kinds: 'all',
    what: /^status 502$/,
    around: [500, 2_000],
    most: 2,
    why: 'a GET that a server has taken is sent once more, and that one may be stopped at that moment, too',
  },
  {
    event: 'stall',
    kinds: ['session'],
    what: /^moved$/,
    around: [500, 2_000],
    most: 8,
    why: 'where the machine stands still Redis seems away, and a session its worker has not seen goes by its id',
  },
  {
    event: 'stall',
    kinds: ['limited'],
    what: /^status 500$/,
    around: [2_000, 2_000],
    most: 8,
    why: 'where neither Redis nor the primary answers in time, nobody can say whether the limit is kept: closed',
  },
  {
    event: 'stall',
    kinds: 'all',
    what: /^late$/,
    around: [12_000, 2_000],
    most: 64,
    why: 'where the machine stands still nobody answers',
  },
];

/** A GET on a kept connection that turns out dead is asked once more on a new one, as HTTP clients do. */
export const repeatsPerChange = 40;

export interface Bounds {
  /** A leak needs time to show: slopes are judged from so many minutes on. */
  readonly slopeMinutes: number;
  /** MiB an hour, over the second half. */
  readonly rssSlope: number;
  /** MiB an hour, of the heap as it is after a full collection. */
  readonly heapSlope: number;
  /** MiB, of any process at any time. */
  readonly rssMost: number;
  /** Of the mean of the last quarter over that of the second, and so many more. */
  readonly flat: { readonly ratio: number; readonly more: number };
  /** Milliseconds a loop of the steady node may stand still. */
  readonly loopMost: number;
  /** Part of the time in which the machine stood still; above it, what depends on time cannot be judged. */
  readonly stalled: number;
}

export const bounds: Bounds = {
  slopeMinutes: 20,
  rssSlope: 24,
  heapSlope: 4,
  rssMost: 300,
  flat: { ratio: 1.15, more: 24 },
  loopMost: 2_000,
  stalled: 0.02,
};
