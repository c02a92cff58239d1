// The client of the pair's tests, run on a host of its own: `node ha-client.ts <url> <per second> <milliseconds each>`.
// Asks at a steady pace whatever happens, and writes down every request; when its input ends it prints all as JSON.

import { Agent, type IncomingMessage, request } from 'node:http';
import { WebSocket } from 'ws';

/** Start in milliseconds since 1970, kind, milliseconds taken, outcome: a status or the error's code. */
export type Row = readonly [at: number, kind: Kind, took: number, outcome: string];
export type Kind = 'plain' | 'kept' | 'protected' | 'sticky' | 'session' | 'limited' | 'strict' | 'socket';

export interface Seen {
  readonly rows: readonly Row[];
  /** Kept connections that turned out dead: asked again on a new one, as every HTTP client does with a GET. */
  readonly repeated: number;
  /** Of the WebSockets that were closed: when, and the code the other side gave; 1006 for none. */
  readonly closed: readonly (readonly [at: number, code: number])[];
  /** Answers that came from another server than the cookie or the session's id stands for. */
  readonly strayed: number;
  /** Sessions whose server did not know them, or that led to none: begun anew. */
  readonly lost: number;
}

/** Users, a token each, and sessions. */
const userCount = 20;
const sessionCount = 10;

const [base = '', rate = '200', allowed = '1000'] = process.argv.slice(2);
/** Milliseconds a request may take. */
const patience = Number(allowed);
const socketCount = 10;
const rows: Row[] = [];
const closed: [number, number][] = [];
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
let repeated = 0;
let strayed = 0;
let cookie = '';
let stuckTo = '';
let lost = 0;
let going = true;

/** Its number, and where it is; null while it is being begun. */
interface Session {
  readonly id: string;
  readonly server: string;
}
const sessions: (Session | null)[] = Array.from({ length: sessionCount }, () => null);
const beginning = new Set<number>();
const turns = { protected: 0, session: 0 };

const kinds: readonly Kind[] = ['plain', 'kept', 'protected', 'sticky', 'session', 'limited', 'strict'];
const begun = performance.now();
let sent = 0;
const timer = setInterval(() => {
  // As many as are due: a late timer must not lower the pace.
  const due = ((performance.now() - begun) / 1000) * Number(rate);
  for (; sent < due; sent += 1) void record(kinds[sent % kinds.length] as Kind);
}, 5);
for (let n = 0; n < socketCount; n += 1) live(0);

process.stdin.resume();
process.stdin.on('end', () => {
  going = false;
  clearInterval(timer);
  setTimeout(() => {
    const seen: Seen = { rows, repeated, closed, strayed, lost };
    process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0));
  }, patience + 200);
});
process.stdout.write('running\n');

async function record(kind: Kind): Promise<void> {
  const at = Date.now();
  const started = performance.now();
  const outcome = await ask(kind).catch((error: unknown) =>
    String((error as { code?: string }).code ?? error),
  );
  rows.push([at, kind, performance.now() - started, outcome]);
}

async function ask(kind: Kind): Promise<string> {
  if (kind === 'session') return await askSession();
  const headers: Record<string, string> = {};
  if (kind === 'sticky' && cookie !== '') headers['cookie'] = cookie;
  // Of this client alone: what was decided for another one's users does not help.
  if (kind === 'protected')
    headers['authorization'] = `Bearer ${process.pid}-${turns.protected++ % userCount}`;
  const path = kind === 'kept' ? '/plain' : `/${kind}`;
  const { status, body, setCookie } = await get(path, headers, kind === 'kept').catch((error: unknown) => {
    if (!(error instanceof DeadConnection)) throw error;
    repeated += 1;
    return get(path, headers, false);
  });
  if (kind === 'protected' && !body.endsWith(' 17') && status === 200) return 'no identity';
  if (kind === 'sticky' && status === 200) stick(body, setCookie, headers['cookie']);
  return String(status);
}

/** A call in a session, or what begins one. */
async function askSession(): Promise<string> {
  const at = turns.session++ % sessionCount;
  const session = sessions[at] ?? null;
  if (session !== null) {
    const { status, body } = await get('/session', { 'mcp-session-id': session.id }, false);
    if (status === 404) {
      lost += 1;
      if (sessions[at] === session) sessions[at] = null;
      return 'lost';
    }
    if (status === 200 && body !== session.server) strayed += 1;
    return String(status);
  }
  if (beginning.has(at)) return (await get('/plain', {}, false)).status.toString();
  beginning.add(at);
  try {
    const { status, body, id } = await get('/session', {}, false);
    if (status === 200 && id !== undefined) sessions[at] = { id, server: body };
    return String(status);
  } finally {
    beginning.delete(at);
  }
}

function stick(body: string, setCookie: string | undefined, sent: string | undefined): void {
  const server = body.split(' ')[0] ?? '';
  if (setCookie !== undefined) {
    cookie = setCookie.split(';')[0] ?? '';
    stuckTo = server;
  } else if (sent === cookie && server !== stuckTo) strayed += 1;
}

class DeadConnection extends Error {}

interface Got {
  readonly status: number;
  readonly body: string;
  readonly setCookie: string | undefined;
  /** Of a session that was begun. */
  readonly id: string | undefined;
}

function get(path: string, headers: Readonly<Record<string, string>>, keep: boolean): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sending = request(`${base}${path}`, { agent: keep ? agent : false, headers }, (response) => {
      read(response).then((body) => {
        clearTimeout(late);
        const { 'set-cookie': cookies, 'mcp-session-id': id } = response.headers;
        resolve({ status: response.statusCode ?? 0, body, setCookie: cookies?.[0], id: id?.toString() });
      }, reject);
    });
    const late = setTimeout(
      () => sending.destroy(Object.assign(new Error('late'), { code: 'LATE' })),
      patience,
    );
    sending.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(late);
      const isDead = sending.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(isDead ? new DeadConnection() : error);
    });
    sending.end();
  });
}

async function read(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

/** One WebSocket that says something ten times a second and comes back after it was closed. */
function live(delay: number): void {
  setTimeout(() => {
    if (!going) return;
    const socket = new WebSocket(`${base.replace('http', 'ws')}/socket`, { handshakeTimeout: patience });
    let asked = 0;
    let asking: NodeJS.Timeout | undefined;
    socket.on('open', () => {
      asking = setInterval(() => {
        if (asked === 0) {
          asked = Date.now();
          socket.send('x');
        } else if (Date.now() - asked > patience) socket.terminate();
      }, 100);
    });
    socket.on('message', () => {
      rows.push([asked, 'socket', Date.now() - asked, '200']);
      asked = 0;
    });
    socket.on('error', () => {});
    socket.on('close', (code) => {
      clearInterval(asking);
      if (going && asking !== undefined) closed.push([Date.now(), code]);
      live(100);
    });
  }, delay);
}
