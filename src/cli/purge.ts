// `portcullis purge`: makes a running gateway forget cached auth decisions.

import http from 'node:http';
import type { PurgeSelector } from '../model/ipc.ts';
import { takeOption, takeSwitch } from './command.ts';
import type { Command, CommandContext } from './command.ts';

/** Milliseconds. */
const deadline = 10_000;
/** Bytes of an answer that are read. */
const maxAnswer = 64 * 1024;
/** Bytes of a token on standard input. */
const maxToken = 32 * 1024;

export const purge: Command = {
  name: 'purge',
  summary: 'Forget cached auth decisions, on all workers',
  usage: ['purge --all', 'purge --token TOKEN', "purge --header 'X-User-Id: 17'"],
  options: [
    ['--all', 'Every decision'],
    [
      '--token T',
      'Decisions a request with this token got; `-` reads it from standard input, so that no process list shows it',
    ],
    ["--header 'NAME: VALUE'", 'Decisions whose auth answer had this header'],
    ['--endpoint URL', 'Where the API answers, with its base path; default http://127.0.0.1:8080'],
  ],
  run: async (context) => {
    const asked = await readRequest(context);
    if (typeof asked === 'string') {
      context.err(`portcullis purge: ${asked}\n`);
      return 2;
    }
    try {
      const { status, body } = await post(asked.url, JSON.stringify(asked.selector));
      if (status === 200) {
        context.out(`purged ${purgedCount(body)}\n`);
        return 0;
      }
      context.err(
        `portcullis purge: the API answered ${status}${status === 404 ? '; is `api` on at this endpoint?' : ''}\n`,
      );
    } catch (error) {
      context.err(`portcullis purge: ${error instanceof Error ? error.message : 'failed'}\n`);
    }
    return 1;
  },
};

async function readRequest(context: CommandContext): Promise<{ selector: PurgeSelector; url: URL } | string> {
  const all = takeSwitch(context.argv, '--all');
  const token = takeOption(all.rest, ['--token']);
  const header = takeOption(token.rest, ['--header', '-H']);
  const endpoint = takeOption(header.rest, ['--endpoint']);
  const [extra] = endpoint.rest;
  if (extra !== undefined) return `unknown argument ${JSON.stringify(extra.slice(0, 80))}`;
  if (Number(all.isSet) + token.values.length + header.values.length !== 1)
    return 'give exactly one of --all, --token and --header';
  const base = endpoint.values[0] ?? 'http://127.0.0.1:8080';
  if (!URL.canParse(base) || new URL(base).protocol !== 'http:') return '--endpoint must be an http:// URL';
  const url = new URL(`${base.replace(/\/+$/, '')}/api/portcullis/auth-cache/purge`);
  const selector = all.isSet
    ? ({ by: 'all' } as const)
    : await readSelector(token.values[0], header.values[0]);
  return typeof selector === 'string' ? selector : { selector, url };
}

async function readSelector(
  token: string | undefined,
  header: string | undefined,
): Promise<PurgeSelector | string> {
  if (token !== undefined) {
    const text = token === '-' ? await readStdin() : token;
    return text === null || text === '' ? 'the token is empty or too long' : { by: 'token', token: text };
  }
  const match = /^([!#$%&'*+\-.^_`|~\w]+)\s*:\s*(.*?)\s*$/.exec(header ?? '');
  if (match === null) return "--header must be 'NAME: VALUE'";
  return { by: 'header', name: match[1] as string, value: match[2] as string };
}

async function readStdin(): Promise<string | null> {
  let text = '';
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > maxToken) return null;
  }
  return text.trim();
}

function post(url: URL, body: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const request = http.request(url, { method: 'POST', headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (text.length < maxAnswer) text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, body: text });
      });
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${deadline} ms`)), deadline);
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(body);
  });
}

function purgedCount(body: string): number {
  try {
    const answer = JSON.parse(body) as { purged?: unknown };
    return typeof answer.purged === 'number' ? answer.purged : 0;
  } catch {
    return 0;
  }
}
