// Sends every hostile request in several ways, many at once, and compares what became of each with what should.

import { connect } from 'node:net';
import { type Listening, listen } from '../raw.ts';
import type { StrictRecorder } from '../strict-recorder.ts';
import { fieldValues, type RecordedRequest } from '../strict-request.ts';
import type { HostileCase, Kind, Outcome } from './case.ts';

export interface Findings {
  readonly cases: number;
  /** Requests sent: each case goes in several ways. */
  readonly sent: number;
  readonly refused: number;
  readonly forwarded: number;
  readonly ambiguous: number;
  /** What was not as it should be. */
  readonly wrong: readonly string[];
}

export interface Play {
  readonly port: number;
  readonly engine: 'uws' | 'node';
  readonly recorder: StrictRecorder;
}

interface Way {
  readonly name: string;
  readonly parts: readonly string[];
  readonly isAlone: boolean;
  /** A good request goes before it. */
  readonly goodBefore: number;
  /** The canary goes behind it. */
  readonly hasCanary: boolean;
}

interface Sent {
  readonly id: string;
  readonly one: HostileCase;
  readonly way: Way;
  readonly statuses: readonly number[];
  /** The beginning of what came back. */
  readonly text: string;
  readonly closed: boolean;
}

/** Connections at once. */
const sideBySide = 48;
/** Milliseconds: how long what must be answered or closed may take; what must not is watched; a silence is. */
const times = { deadline: 8_000, stalled: 400, quiet: 60, betweenParts: 4 };

/** Of an answer, in what is reported. */
const maxShownChars = 300;

let lastId = 0;

export async function play(cases: readonly HostileCase[], how: Play): Promise<Findings> {
  const jobs = cases.flatMap((one) => {
    const first = ways(one, '').length;
    return Array.from({ length: first }, (_, nth) => ({ one, nth }));
  });
  const from = how.recorder.requests.length;
  const done: Sent[] = [];
  const alive: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
      const sent = await sendOne(job.one, job.nth, how);
      done.push(sent);
      if (sent.way.hasCanary) alive.push(...(await isAlive(sent, how)));
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, worker));
  const recorded = how.recorder.requests.slice(from);
  return judge(done, recorded, { cases: cases.length, engine: how.engine, alive });
}

function ways({ text, isSplit, isSwept }: HostileCase, id: string): readonly Way[] {
  const whole = text.replaceAll('@ID@', id);
  const canary = `GET /smuggled/${id} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
  const good = `GET /good/${id} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
  const alone = { isAlone: true, goodBefore: 0, hasCanary: false };
  const list: Way[] = [
    { name: 'alone', parts: [whole], ...alone },
    { name: 'before another', parts: [whole + canary], isAlone: false, goodBefore: 0, hasCanary: true },
  ];
  if (!isSwept)
    list.push({
      name: 'behind another',
      parts: [good + whole],
      isAlone: false,
      goodBefore: 1,
      hasCanary: false,
    });
  for (let at = 1; isSplit && at < whole.length; at++)
    list.push({ name: `cut at ${at}`, parts: [whole.slice(0, at), whole.slice(at)], ...alone });
  return list;
}

async function sendOne(one: HostileCase, nth: number, { port, engine }: Play): Promise<Sent> {
  const id = `${engine}-${++lastId}-`;
  const way = ways(one, id)[nth] as Way;
  const { kind } = one[engine];
  const seen = listen(port);
  for (const [index, part] of way.parts.entries()) {
    if (index > 0) await pause(times.betweenParts);
    if (!seen.closed) await new Promise((resolve) => seen.socket.write(part, 'latin1', resolve));
  }
  const started = performance.now();
  while (!seen.closed && !isOver({ kind, way, seen, started })) await pause(3);
  seen.socket.destroy();
  const { text, closed } = seen;
  return { id, one, way, closed, statuses: statusesIn(text), text: text.slice(0, maxShownChars) };
}

interface Progress {
  readonly kind: Kind;
  readonly way: Way;
  readonly seen: Listening;
  readonly started: number;
}

function isOver({ kind, way, seen, started }: Progress): boolean {
  const now = performance.now();
  if (now - started > (['stalled', 'never', 'loose'].includes(kind) ? times.stalled : times.deadline))
    return true;
  if (kind !== 'served' && kind !== 'either') return false;
  const answers = statusesIn(seen.text).length;
  // Whoever was served may keep the connection, and whatever it still does with it shows in a moment.
  return answers > way.goodBefore && (way.isAlone || now - seen.lastByteAt > times.quiet);
}

/** The worker still serves: one good request on a connection of its own. */
async function isAlive({ id, one }: Sent, { port }: Play): Promise<string[]> {
  const target = `/alive/${id}`;
  const text = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let got = '';
    socket.setTimeout(times.deadline, () => socket.destroy());
    socket.on('data', (chunk) => (got += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(got));
    socket.write(`GET ${target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`);
  });
  const isRight = text.startsWith('HTTP/1.1 200 ') && text.endsWith(`\r\n\r\n${target}`);
  return isRight ? [] : [`${one.name}: the next client was answered ${JSON.stringify(text.slice(0, 200))}`];
}

function judge(
  done: readonly Sent[],
  recorded: readonly RecordedRequest[],
  {
    cases,
    engine,
    alive,
  }: { readonly cases: number; readonly engine: 'uws' | 'node'; readonly alive: readonly string[] },
): Findings {
  const byId = new Map<string, RecordedRequest[]>();
  const canaries = new Set<string>();
  const wrong: string[] = [...alive];
  const ambiguous = recorded.filter(({ flaws }) => flaws.length > 0);
  for (const request of recorded) {
    const id =
      fieldValues(request, 'x-case').join() || (/\/smuggled\/([^/]*)/.exec(request.target)?.[1] ?? '');
    if (request.target.startsWith('/smuggled/')) canaries.add(id);
    else if (id !== '') byId.set(id, [...(byId.get(id) ?? []), request]);
    else if (!/^\/(?:good|alive)\//.test(request.target) && request.isWhole)
      wrong.push(`nobody sent ${request.method} ${request.target}`);
    if (request.flaws.length > 0)
      wrong.push(`ambiguous (${request.flaws.join(', ')}): ${JSON.stringify(request).slice(0, 400)}`);
  }
  let refused = 0;
  let forwarded = 0;
  for (const sent of done) {
    const whole = (byId.get(sent.id) ?? []).filter(({ isWhole }) => isWhole);
    if (whole.length === 0) refused += 1;
    else forwarded += 1;
    const seen = { whole, hasCanary: canaries.has(sent.id) };
    for (const fault of faultsOf(sent, sent.one[engine], seen))
      wrong.push(`${sent.one.name}, ${sent.way.name}: ${fault}`);
  }
  return { cases, sent: done.length, refused, forwarded, ambiguous: ambiguous.length, wrong };
}

function faultsOf(
  { way, statuses, closed, text }: Sent,
  { kind, statuses: allowed, body }: Outcome,
  { whole, hasCanary }: { readonly whole: readonly RecordedRequest[]; readonly hasCanary: boolean },
): string[] {
  const faults: string[] = [];
  const say = (isFault: boolean, text: string): void => void (isFault && faults.push(text));
  const own = statuses.slice(way.goodBefore);
  const answered = `answered ${own.join(' ')}: ${JSON.stringify(text)}`;
  const isNeverWhole = kind === 'refused' || kind === 'stalled' || kind === 'never';
  const isLast = isNeverWhole || kind === 'last' || kind === 'loose';
  // In the same read the fast engine comes upon what follows before a refusal is written.
  const mayBe = way.isAlone ? allowed : [...allowed, 505];
  say(whole.length > (isNeverWhole ? 0 : 1), `reached the server ${whole.length} times`);
  say(
    body !== null && whole.some((one) => one.body !== body),
    `its body was ${JSON.stringify(whole[0]?.body)}`,
  );
  say(hasCanary && isLast, 'what followed it was run');
  say(own.length > (isLast ? 1 : 1 + Number(way.hasCanary)), answered);
  if (isNeverWhole)
    say(
      own.some((status) => !mayBe.includes(status)),
      answered,
    );
  if (kind === 'refused' || kind === 'last') say(!closed, 'the connection stayed open');
  if (!way.isAlone) return faults;
  if (kind === 'refused') say(own.length === 0 && allowed.length > 0, 'closed without an answer');
  if (kind === 'stalled') say(own.length > 0, answered);
  if (kind === 'served' || kind === 'last') say(own.join() !== '200' || whole.length !== 1, answered);
  if (kind === 'either')
    say(
      own.some((status) => status !== 200 && !allowed.includes(status)),
      answered,
    );
  return faults;
}

/** Of final answers. */
function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 ([2-5]\d\d)/g)].map((match) => Number(match[1]));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
