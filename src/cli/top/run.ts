// Runs `top`: once, in a terminal, or line by line.

import { setTimeout as wait } from 'node:timers/promises';
import type { CommandContext } from '../command.ts';
import { takeOption, takeSwitch } from '../command.ts';
import { type Asking, Refused } from './ask.ts';
import { findEndpoint } from './endpoint.ts';
import { frame } from './frame.ts';
import { numbersOf, withoutUserinfo } from './numbers.ts';
import { plainLine } from './plain.ts';
import { look, outdated, type Seen } from './seen.ts';
import { watch } from './watch.ts';
import { printable } from './words.ts';

/** Resolves to the exit code. */
export async function runTop(context: CommandContext): Promise<number> {
  const once = takeSwitch(context.argv, '--once');
  const json = takeSwitch(once.rest, '--json');
  const header = takeOption(json.rest, ['-H', '--header']);
  const endpoint = takeOption(header.rest, ['--endpoint']);
  const found = findEndpoint(endpoint.values, endpoint.rest, context);
  const headers = readHeaders(header.values);
  const problem = 'problem' in found ? found.problem : headers === null ? '-H wants `NAME: VALUE`' : null;
  if ('problem' in found || headers === null) {
    context.err(`portcullis top: ${problem}\n`);
    return 'problem' in found ? found.code : 2;
  }
  const asking = { endpoint: found.endpoint, headers };
  const first = await firstLook(asking, context);
  if (first === null) return 1;
  if (once.isSet) {
    context.out(json.isSet ? jsonLine(first, asking) : picture(first, asking, context));
    return 0;
  }
  const isTerminal = process.stdout.isTTY && process.stdin.isTTY;
  if (isTerminal && !json.isSet) return watch(asking, first, context.color);
  return follow(asking, first, {
    print: (seen) =>
      context.out(
        json.isSet ? jsonLine(seen, asking) : `${plainLine(numbersOf(seen, asking.endpoint, Date.now()))}\n`,
      ),
    err: context.err,
  });
}

function readHeaders(values: readonly string[]): Record<string, string> | null {
  const headers: Record<string, string> = {};
  for (const written of values) {
    const [, name, value] =
      /^([\w!#$%&'*+.^`|~-]+):\s*([\t\u0020-\u007e\u0080-\u00ff]*)$/.exec(written) ?? [];
    if (name === undefined || value === undefined) return null;
    headers[name] = value;
  }
  return headers;
}

/** Says what to do when there is nobody. */
async function firstLook(asking: Asking, context: CommandContext): Promise<Seen | null> {
  try {
    return await look(asking, null);
  } catch (error) {
    const where = withoutUserinfo(asking.endpoint);
    context.err(`portcullis top: ${where}: ${reason(error)}\n  ${advice(error)}\n`);
    return null;
  }
}

function advice(error: unknown): string {
  if (!(error instanceof Refused))
    return 'is the gateway running, with `--api.insecure=true`? Elsewhere: `--endpoint http://HOST:PORT`, or the gateway’s own flags';
  if (error.status === 401 || error.status === 403)
    return "the API is behind authentication: `-H 'Authorization: …'`, or user and password in --endpoint";
  if (error.status === 404)
    return 'no API at this address: is `api` on, and is its `basePath` in --endpoint?';
  return '`portcullis doctor` with the gateway’s flags looks at what may be wrong';
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  // Of several addresses none answered: Node's own message is empty then.
  const { code } = error as NodeJS.ErrnoException;
  return printable(error.message === '' ? (code ?? 'failed') : error.message);
}

function jsonLine(seen: Seen, { endpoint }: Asking): string {
  return `${JSON.stringify(numbersOf(seen, endpoint, Date.now()))}\n`;
}

function picture(seen: Seen, { endpoint }: Asking, { color }: CommandContext): string {
  const rows = frame({
    numbers: numbersOf(seen, endpoint, Date.now()),
    points: seen.points,
    width: process.stdout.isTTY ? process.stdout.columns : 120,
    errorRows: 10,
    skipped: 0,
    color,
    problem: null,
  });
  return `${rows.join('\n')}\n`;
}

interface Following {
  readonly print: (seen: Seen) => void;
  readonly err: (text: string) => void;
}

/** Until a signal ends it, or nobody reads any more. A gateway that is away is said once. */
async function follow(asking: Asking, first: Seen, { print, err }: Following): Promise<number> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, end);
  process.stdout.once('error', end);
  let seen = first;
  let isAway = false;
  print(first);
  while (!ending.signal.aborted) {
    try {
      seen = await look({ ...asking, signal: ending.signal }, seen);
      isAway = false;
      print(seen);
    } catch (error) {
      if (ending.signal.aborted) break;
      if (!isAway) err(`portcullis top: ${reason(error)}; trying again\n`);
      isAway = true;
      seen = outdated(seen);
      await wait(1000, undefined, { signal: ending.signal }).catch(() => {});
    }
  }
  for (const signal of signals) process.off(signal, end);
  process.stdout.off('error', end);
  return 0;
}
