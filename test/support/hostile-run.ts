// Puts every wrong answer to a gateway, with users on the same pool right beside and right behind each of them.

import { eventually, type TestGateway } from './gateway.ts';
import { type HostileAnswer, hostileAnswers, lateAnswers } from './hostile-answers.ts';
import { askInTurn, type ReadAnswer, readAnswer } from './hostile-client.ts';
import { cutBases, type HostileOrigin } from './hostile-origin.ts';
import { residentBytes } from './wire.ts';

export interface HostileResult {
  readonly answer: ReadAnswer;
  /** Requests that the server saw on the connection after the wrong answer. */
  readonly after: number;
  /** Times the server was asked. */
  readonly seen: number;
}

export interface HostileReport {
  readonly results: ReadonlyMap<string, HostileResult>;
  /** Users that did not get exactly their own. */
  readonly strangers: readonly string[];
  readonly users: number;
  /** Resident bytes of the worker: before, and the most seen meanwhile. */
  readonly memory: { readonly before: number; readonly most: number };
}

/** Wrong answers under way at a time. */
const atOnce = 8;

/** Configuration: a router for each wrong answer, one for the cut ones and one for the users, all on one pool. */
export function hostileRoutes(url: string): object {
  const routers: Record<string, object> = {
    cut: { rule: 'PathPrefix(`/cut/`)', service: 'one' },
    user: { rule: 'PathPrefix(`/user/`)', service: 'one' },
  };
  for (const { name } of [...hostileAnswers, ...lateAnswers])
    routers[name] = { rule: `Path(\`/wrong/${name}\`)`, service: 'one' };
  return {
    http: {
      routers,
      services: { one: { loadBalancer: { servers: [{ url }], serversTransport: 'strict' } } },
      serversTransports: {
        strict: { insecureSkipVerify: true, forwardingTimeouts: { responseHeaderTimeout: '3s' } },
      },
    },
  };
}

export async function runHostile(gateway: TestGateway, origin: HostileOrigin): Promise<HostileReport> {
  const port = gateway.port('web');
  const results = new Map<string, HostileResult>();
  const strangers: string[] = [];
  let users = 0;
  const askUsers = async (name: string, count: number): Promise<void> => {
    const targets = Array.from({ length: count }, () => `/user/${++users}-${name}`);
    strangers.push(...(await askInTurn(port, targets)));
  };
  const [pid = 0] = gateway.workerPids();
  await askUsers('first', 50);
  const before = residentBytes(pid);
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, residentBytes(pid))), 50);
  const run = async (wrong: HostileAnswer): Promise<void> => {
    const target = `/wrong/${wrong.name}`;
    const beside = askUsers('beside', 3);
    const answer = await readAnswer(port, target, {
      method: wrong.asked,
      ...(wrong.asked === 'POST' ? { upload: 1_000_000 } : {}),
      ...(wrong.gets.endsWith('open') ? { leaveAfter: 1_000 } : {}),
    });
    await Promise.all([askUsers('behind', 3), askUsers('behind', 3), beside]);
    if (!wrong.reused)
      await eventually(`the connection of ${wrong.name} is closed`, () => origin.open(target) === 0).catch(
        (error: unknown) => strangers.push(String(error)),
      );
    results.set(wrong.name, { answer, after: origin.after(target), seen: origin.seen(target) });
  };
  try {
    await eachOf(hostileAnswers, run);
  } finally {
    clearInterval(watch);
  }
  return { results, strangers, users, memory: { before, most } };
}

export interface CutResult {
  readonly base: string;
  readonly how: string;
  readonly bytes: number;
  readonly answer: ReadAnswer;
  readonly after: number;
}

/** An answer of each framing cut at each of its bytes, by FIN and by RST. */
export async function runCuts(port: number, origin: HostileOrigin): Promise<CutResult[]> {
  const parts: Omit<CutResult, 'answer' | 'after'>[] = [];
  for (const [base, text] of Object.entries(cutBases))
    for (let bytes = 0; bytes <= text.length; bytes++)
      for (const how of ['end', 'reset']) parts.push({ base, how, bytes });
  const results: CutResult[] = [];
  await eachOf(parts, async (part) => {
    const target = `/cut/${part.base}/${part.how}/${part.bytes}`;
    const answer = await readAnswer(port, target);
    results.push({ ...part, answer, after: origin.after(target) });
  });
  return results;
}

/** What a client must get of `bytes` bytes of `text`. */
export function cutOutcome({ base, how, bytes }: CutResult): string {
  const text = cutBases[base] ?? '';
  const head = text.indexOf('\r\n\r\n') + 4;
  // The kernel may drop what lies unread before an RST.
  if (how === 'reset') return bytes < head ? '502' : bytes < text.length ? '502|cut' : '502|cut|200 whole';
  if (bytes === 0) return '502';
  if (bytes < head) return '500';
  return bytes < text.length ? 'cut' : '200 whole';
}

/** `atOnce` at a time. */
export async function eachOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const work = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
