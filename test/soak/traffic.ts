// The load of a soak: each kind at its pace over both nodes, every answer looked at.

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { downloadBytes, zipBytes } from './backends.ts';
import { type Client, type Got, openClient, type Question, Unanswered } from './client.ts';
import type { Ledger } from './ledger.ts';
import { type Kind, kinds, pace, sessionCount, userCount } from './plan.ts';
import type { Scene, SoakNode } from './scene.ts';
import { openSockets } from './sockets.ts';

/** Requests under way over all kinds. */
const mostUnderWay = 1024;
/** Kept connections of one client, all of which may have been to the same worker. */
const mostDead = 24;
/** Seconds of requests that are sent late at once; what a machine that stood still has missed is left out. */
const mostDebt = 0.25;

export interface Traffic {
  /** Lets what is under way end. */
  stop(): Promise<void>;
}

/** Kinds other than sockets, which go by themselves. */
type Asked = Exclude<Kind, 'socket'>;

/** What is wrong with an answer, or null. */
type Ask = (client: Client, n: number) => Promise<string | null>;

/** `scale`: 1 is the pace of the plan. */
export function startTraffic(scene: Scene, ledger: Ledger, scale: number): Traffic {
  const asks = asksOf(ledger);
  const clients = scene.nodes.map(({ gateway }) =>
    openClient({ web: gateway.port('web'), tls: gateway.port('tls'), h2: gateway.port('h2') }, scene.root),
  );
  const sockets = openSockets(scene.nodes, Math.round(pace.socket * scale), ledger);
  const begun = performance.now();
  const sent = new Map<Asked, number>();
  const running = new Set<Promise<void>>();
  const timer = setInterval(() => {
    for (const kind of kinds) {
      if (kind === 'socket') continue;
      const due = ((performance.now() - begun) / 1000) * pace[kind] * scale;
      // As many as are due: a late timer must not lower the pace.
      const first = Math.max(
        sent.get(kind) ?? 0,
        Math.ceil(due - Math.max(1, pace[kind] * scale * mostDebt)),
      );
      for (let n = first; n < due; n += 1) {
        sent.set(kind, n + 1);
        if (running.size >= mostUnderWay) {
          ledger.of(kind).skipped += 1;
          continue;
        }
        const at = n % scene.nodes.length;
        const one = record(kind, scene.nodes[at] as SoakNode, () =>
          asks[kind](clients[at] as Client, n),
        ).finally(() => running.delete(one));
        running.add(one);
      }
    }
  }, 5);

  async function record(kind: Asked, node: SoakNode, ask: () => Promise<string | null>): Promise<void> {
    const started = performance.now();
    const count = ledger.of(kind);
    const failed = (what: string, port = 0, opened = 0): void =>
      ledger.fail({ at: performance.now(), node: node.name, kind, what, port, opened });
    const once = async (): Promise<void> => {
      const wrong = await ask();
      if (wrong !== null) return failed(wrong);
      count.answered += 1;
      count.slowest = Math.max(count.slowest, performance.now() - started);
    };
    try {
      await repeated(once, () => void (count.repeated += 1));
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      failed(error.what, error.port, error.opened);
    }
  }

  /** The next kept connection may be as dead as the first: one after the other is found out. */
  async function repeated(once: () => Promise<void>, tell: () => void): Promise<void> {
    for (let left = mostDead; ; left -= 1) {
      try {
        return await once();
      } catch (error) {
        if (left === 0 || !(error instanceof Unanswered && error.isDeadConnection)) throw error;
        tell();
      }
    }
  }

  return {
    async stop() {
      clearInterval(timer);
      sockets.close();
      await Promise.allSettled(running);
      for (const client of clients) client.close();
    },
  };
}

function asksOf(ledger: Ledger): Readonly<Record<Asked, Ask>> {
  const simple = async (client: Client, question: Question): Promise<string | null> =>
    expectBody(await client.plain(question), /^[ab] -$/);
  return {
    kept: async (client) => await simple(client, { path: '/plain', keep: true }),
    new: async (client) => await simple(client, { path: '/plain' }),
    upload: async (client, n) => await upload(client, n),
    download: async (client, n) => {
      const { status, body } = await client.plain({ path: '/download', keep: n % 2 === 0 });
      if (status !== 200) return `status ${status}`;
      return body.length === downloadBytes ? null : `${body.length} bytes`;
    },
    zip: async (client) => await zip(client),
    cached: async (client, n) => await asUser(client, '/cached', n % userCount),
    uncached: async (client, n) => await asUser(client, '/uncached', n % userCount),
    refused: async (client, n) => {
      const path = n % 2 === 0 ? '/cached' : '/uncached';
      const headers = { authorization: `Bearer nobody-${n}`, 'x-user-id': '1' };
      return expectStatus(await client.plain({ path, headers, keep: true }), 401);
    },
    tls: async (client) => expectBody(await client.secure({ path: '/plain', keep: true }), /^[ab] -$/),
    'tls-new': async (client) => expectBody(await client.secure({ path: '/plain' }), /^[ab] -$/),
    h2: async (client) => expectBody(await client.http2({ path: '/plain' }), /^[ab] -$/),
    cookie: stickyBy('/cookie', 'set-cookie', 'cookie'),
    session: stickyBy('/session', 'mcp-session-id', 'mcp-session-id'),
    limited: async (client) => {
      const got = await client.plain({ path: '/limited', keep: true });
      if (got.status === 200) ledger.passed.push(performance.now());
      return got.status === 429 ? null : expectBody(got, /^[cd] -$/);
    },
    flaky: async (client, n) =>
      expectBody(await client.plain({ path: `/flaky/${n}`, keep: true }), /^[cd] -$/),
    page: async (client) => {
      const got = await client.plain({ path: '/broken', keep: true });
      return expectStatus(got, 500) ?? (String(got.body) === 'page 500' ? null : 'another page');
    },
    missing: async (client) => expectStatus(await client.plain({ path: '/nowhere', keep: true }), 404),
    'leave-upload': async (client) => {
      await client.plain({
        method: 'POST',
        path: '/upload',
        headers: { 'content-length': '1000000' },
        body: Buffer.alloc(60_000),
        leaves: true,
      });
      return null;
    },
    'leave-download': async (client) => {
      const got = await client.plain({ path: '/download', leaves: true });
      return expectStatus(got, 200);
    },
  };
}

/** 64 KiB, and each twentieth time 1 MiB. */
async function upload(client: Client, n: number): Promise<string | null> {
  const body = Buffer.alloc(n % 20 === 0 ? 1_048_576 : 65_536, `upload ${n} `);
  const got = await client.plain({ method: 'POST', path: '/upload', body });
  if (got.status !== 200) return `status ${got.status}`;
  const wanted = `${body.length} ${createHash('sha1').update(body).digest('hex')}`;
  return String(got.body) === wanted ? null : 'another upload';
}

async function zip(client: Client): Promise<string | null> {
  const headers = { 'accept-encoding': 'gzip' };
  const got = await client.plain({ path: '/zip', headers, keep: true });
  if (got.status !== 200) return `status ${got.status}`;
  if (got.headers['content-encoding'] !== 'gzip') return 'not packed';
  return gunzipSync(got.body).length === zipBytes ? null : 'badly packed';
}

async function asUser(client: Client, path: string, user: number): Promise<string | null> {
  // A client that claims to be somebody must not be believed.
  const headers = { authorization: `Bearer user-${user}`, 'x-user-id': '99' };
  const got = await client.plain({ path, headers, keep: true });
  if (got.status !== 200) return `status ${got.status}`;
  return String(got.body).endsWith(` ${user}`) ? null : 'another user';
}

/** Sessions that each node's clients use in turn. */
function stickyBy(path: string, given: string, sentAs: string): Ask {
  const sessions: ({ readonly id: string; readonly server: string } | null)[] = [];
  return async (client, n) => {
    const at = Math.floor(n / 2) % sessionCount;
    const known = sessions[at] ?? null;
    const headers = known === null ? {} : { [sentAs]: known.id };
    const got = await client.plain({ path, headers, keep: true });
    if (got.status !== 200) return `status ${got.status}`;
    const server = String(got.body).split(' ')[0] ?? '';
    if (known !== null) return server === known.server ? null : 'moved';
    const set = got.headers[given];
    const id = (typeof set === 'string' ? set : set?.[0])?.split(';')[0];
    if (id === undefined) return 'no session';
    sessions[at] ??= { id, server };
    return null;
  };
}

function expectBody(got: Got, body: RegExp): string | null {
  return expectStatus(got, 200) ?? (body.test(String(got.body)) ? null : 'another answer');
}

function expectStatus({ status }: Got, wanted: number): string | null {
  return status === wanted ? null : `status ${status}`;
}
