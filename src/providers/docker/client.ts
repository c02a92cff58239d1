// The few questions that are put to an engine's API: version, containers, one container, events.

import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import type { Container } from './container.ts';
import type { Endpoint } from './endpoint.ts';
import { createLineSplitter, readEvent } from './events.ts';
import type { EngineEvent } from './events.ts';
import { containerFrom, listedFrom } from './inspect.ts';
import type { Listed } from './inspect.ts';
import { EngineProblem, explain } from './problems.ts';
import { negotiate } from './version.ts';

export interface ClientOptions {
  readonly endpoint: Endpoint;
  readonly tls: ClientTls | null;
  readonly username: string;
  readonly password: string;
  /** Milliseconds for one whole answer, the event stream's first bytes included. */
  readonly timeout: number;
}

/** PEM texts; empty where there are none. */
export interface ClientTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly insecureSkipVerify: boolean;
}

/** Everything rejects with an `EngineProblem`, whose message is fit for a log. */
export interface EngineClient {
  /** Running and stopped ones, at most `maxContainers`. */
  list(): Promise<Listed[]>;
  /** Null: it is gone. */
  inspect(id: string): Promise<Container | null>;
  /** Settles when the stream ends; `opened` is called when the engine has begun to answer. */
  follow(opened: () => void, take: (event: EngineEvent) => void): Promise<void>;
  close(): Promise<void>;
}

/** Containers asked about at one time. */
export const maxInspects = 8;
export const maxContainers = 10_000;
/** Bytes of one answer. */
export const maxAnswer: number = 16 * 1024 * 1024;

const wantedEvents = encodeURIComponent(JSON.stringify({ type: ['container', 'network'] }));

export function createClient(options: ClientOptions): EngineClient {
  return new Client(options);
}

class Client implements EngineClient {
  readonly #options: ClientOptions;
  readonly #asking: Pool;
  readonly #following: Pool;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #closing = new AbortController();
  /** `/v1.41`, or empty; null: to be asked. Every failure may mean another engine. */
  #prefix: string | null = null;

  constructor(options: ClientOptions) {
    this.#options = options;
    const connect = connectOptions(options);
    const shared = { allowH2: false, pipelining: 1, connect, headersTimeout: options.timeout };
    this.#asking = new Pool(options.endpoint.origin, {
      ...shared,
      connections: maxInspects,
      bodyTimeout: options.timeout,
      maxResponseSize: maxAnswer,
    });
    this.#following = new Pool(options.endpoint.origin, { ...shared, connections: 1, bodyTimeout: 0 });
    this.#headers = headersOf(options);
  }

  async list(): Promise<Listed[]> {
    const listed = await this.#guard(async () => {
      const answer = await this.#get(`${await this.#version()}/containers/json?all=1`);
      return listedFrom(parse(answer.text));
    });
    if (listed.length > maxContainers)
      throw new EngineProblem(`it lists ${listed.length} containers, more than ${maxContainers}`, null);
    return listed;
  }

  inspect(id: string): Promise<Container | null> {
    return this.#guard(async () => {
      const path = `${await this.#version()}/containers/${encodeURIComponent(id)}/json`;
      const answer = await this.#get(path, [404]);
      return answer.status === 404 ? null : containerFrom(parse(answer.text));
    });
  }

  follow(opened: () => void, take: (event: EngineEvent) => void): Promise<void> {
    return this.#guard(async () => {
      const path = `${await this.#version()}/events?filters=${wantedEvents}`;
      const { statusCode, body } = await this.#following.request({
        method: 'GET',
        path,
        headers: this.#headers,
        signal: this.#closing.signal,
      });
      if (statusCode !== 200) {
        body.destroy();
        throw new EngineProblem(`it answers ${statusCode} to the question for events`, hintFor(statusCode));
      }
      opened();
      const lines = createLineSplitter((line) => {
        const event = readEvent(line);
        if (event !== null) take(event);
      });
      for await (const chunk of body as AsyncIterable<Buffer>) lines.push(chunk);
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#asking.destroy(), this.#following.destroy()]);
  }

  async #version(): Promise<string> {
    this.#prefix ??= await negotiate(async (path) => {
      const answer = await this.#get(path, 'any');
      return { ...answer, version: header(answer.headers, 'api-version') };
    });
    return this.#prefix;
  }

  async #get(path: string, alsoGood: readonly number[] | 'any' = []): Promise<Answer> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#options.timeout)]);
    const { statusCode, headers, body } = await this.#asking.request({
      method: 'GET',
      path,
      headers: this.#headers,
      signal,
    });
    const text = await body.text();
    if (statusCode !== 200 && alsoGood !== 'any' && !alsoGood.includes(statusCode))
      throw new EngineProblem(`it answers ${statusCode}`, hintFor(statusCode));
    return { status: statusCode, headers, text };
  }

  async #guard<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      this.#prefix = null;
      throw explain(error, this.#options.endpoint.socketPath, this.#options.timeout);
    }
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
}

function connectOptions({ endpoint, tls, timeout }: ClientOptions) {
  const connectTimeout = Math.min(timeout, 10_000);
  if (endpoint.socketPath !== null) return { socketPath: endpoint.socketPath, timeout: connectTimeout };
  return {
    timeout: connectTimeout,
    keepAlive: true,
    keepAliveInitialDelay: 15_000,
    rejectUnauthorized: tls?.insecureSkipVerify !== true,
    ...(tls === null || tls.ca === '' ? {} : { ca: tls.ca }),
    ...(tls === null || tls.cert === '' ? {} : { cert: tls.cert, key: tls.key }),
  };
}

function headersOf({ username, password, endpoint }: ClientOptions): Readonly<Record<string, string>> {
  const user = username === '' ? endpoint.username : username;
  const word = username === '' ? endpoint.password : password;
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'portcullis' };
  if (user !== '' || word !== '')
    headers['authorization'] = `Basic ${Buffer.from(`${user}:${word}`).toString('base64')}`;
  return headers;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new EngineProblem('its answer is no JSON', null);
  }
}

function header(headers: Answer['headers'], name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

function hintFor(status: number): string | null {
  if (status === 401) return 'give `providers.docker.username` and `password`';
  if (status !== 403) return null;
  return 'a socket proxy must let through GET for `/_ping`, `/version`, `/containers` and `/events`';
}
