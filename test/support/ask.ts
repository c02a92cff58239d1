// One request on a connection of its own, and the answer as it came: status, every header line, body.

import { request } from 'node:http';
import { bodyOf } from './body.ts';

export interface Ask {
  readonly method?: string;
  /** Path with query, sent as it is; default `/`. */
  readonly target?: string;
  /** The Host header. */
  readonly host: string;
  /** A list sends the header once for each value. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  /** `name: value` lines, names in lower case, sorted; without Date and what belongs to the connection. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** Asks `127.0.0.1:port`; rejects when the connection breaks or nothing comes for 10 s. */
export function ask(
  port: number,
  { method = 'GET', target = '/', host, headers, body }: Ask,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path: target, headers: { host, ...headers }, agent: false },
      (response) => {
        bodyOf(response).then((text) => {
          resolve({ status: response.statusCode ?? 0, headers: linesOf(response.rawHeaders), body: text });
        }, reject);
      },
    );
    sent.setTimeout(10_000, () => sent.destroy(new Error(`no answer to ${method} ${host}${target}`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

const connectionNames: ReadonlySet<string> = new Set([
  'date',
  'connection',
  'keep-alive',
  'transfer-encoding',
]);

function linesOf(raw: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (!connectionNames.has(name)) lines.push(`${name}: ${raw[i + 1]}`);
  }
  return lines.sort();
}
