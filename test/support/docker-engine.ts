// A container engine's API as a script: for what a real engine cannot be made to say.

import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ScriptedContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly health: string;
  readonly ip: string;
  readonly port: number;
}

export interface ScriptedEngine {
  /** As the option `endpoint` has it. */
  readonly endpoint: string;
  readonly socket: string;
  readonly isSecure: boolean;
  /** By id; changing it changes what is listed. */
  readonly containers: Map<string, ScriptedContainer>;
  /** Paths in order. */
  readonly asked: string[];
  readonly headers: IncomingMessage['headers'][];
  /** Answers in place of the script when it returns true. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  apiVersion: string;
  put(container: Partial<ScriptedContainer> & { readonly name: string }): ScriptedContainer;
  /** One line to every stream; an object as JSON. */
  tell(line: object | string): void;
  /** A container event to every stream. */
  event(action: string, name: string, attributes?: Readonly<Record<string, string>>): void;
  streams(): number;
  /** Ends every stream; `rudely` cuts the connections. */
  dropStreams(rudely?: boolean): void;
  /** Nobody listens any longer, and what was connected is cut. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export interface ScriptedOptions {
  /** TCP on a free port instead of a unix socket. */
  readonly isTcp?: boolean;
  /** PEM texts, for TCP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Begins without anybody listening. */
  readonly isPaused?: boolean;
}

export async function startScriptedEngine(options: ScriptedOptions = {}): Promise<ScriptedEngine> {
  const dir = mkdtempSync(join(tmpdir(), 'engine-'));
  const socket = join(dir, 'docker.sock');
  const streams = new Set<ServerResponse>();
  let port = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? '';
    engine.asked.push(path);
    engine.headers.push(request.headers);
    if (engine.intercept?.(request, response) === true) return;
    serve(engine, streams, path, response);
  };
  const server =
    options.tls === undefined ? createServer(answer) : createTlsServer({ ...options.tls }, answer);
  const listen = async (): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      if (options.isTcp === true) server.listen(port, '127.0.0.1', resolve);
      else server.listen(socket, resolve);
    });
    if (options.isTcp === true) port = (server.address() as AddressInfo).port;
  };
  const engine: ScriptedEngine = {
    get endpoint() {
      return options.isTcp === true ? `tcp://127.0.0.1:${port}` : `unix://${socket}`;
    },
    socket,
    isSecure: options.tls !== undefined,
    containers: new Map(),
    asked: [],
    headers: [],
    intercept: null,
    apiVersion: '1.43',
    put(partial) {
      const id = partial.id ?? idOf(partial.name);
      const made = {
        id,
        labels: {},
        state: 'running',
        health: '',
        ip: '172.30.0.2',
        port: 80,
        ...partial,
      };
      engine.containers.set(id, made);
      return made;
    },
    tell(line) {
      const text = typeof line === 'string' ? line : `${JSON.stringify(line)}\n`;
      for (const stream of streams) stream.write(text);
    },
    event(action, name, attributes = {}) {
      const Actor = { ID: idOf(name), Attributes: { name, ...attributes } };
      engine.tell({ Type: 'container', Action: action, status: action, id: Actor.ID, Actor });
    },
    streams: () => streams.size,
    dropStreams(rudely = false) {
      for (const stream of streams)
        if (rudely) stream.destroy();
        else stream.end();
    },
    async pause() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    resume: listen,
    async stop() {
      if (server.listening) await engine.pause();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  if (options.isPaused !== true) await listen();
  return engine;
}

/** 64 hexadecimal digits, always the same for one name. */
export function idOf(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64);
}

function serve(
  engine: ScriptedEngine,
  streams: Set<ServerResponse>,
  path: string,
  response: ServerResponse,
): void {
  const [route = ''] = path.replace(/^\/v\d+\.\d+/, '').split('?');
  if (route === '/_ping') return void response.setHeader('Api-Version', engine.apiVersion).end('OK');
  if (route === '/version') return void response.end(JSON.stringify({ ApiVersion: engine.apiVersion }));
  if (route === '/containers/json')
    return void response.end(JSON.stringify([...engine.containers.values()].map(listedOf)));
  if (route === '/events') {
    response.flushHeaders();
    streams.add(response);
    response.once('close', () => streams.delete(response));
    return;
  }
  const id = /^\/containers\/(\w+)\/json$/.exec(route)?.[1] ?? '';
  const container = engine.containers.get(id);
  if (container === undefined) return void response.writeHead(404).end('{"message":"no such container"}');
  response.end(JSON.stringify(inspectedOf(container)));
}

function listedOf(container: ScriptedContainer): object {
  const health = container.health === '' ? '' : ` (${container.health})`;
  return {
    Id: container.id,
    Names: [`/${container.name}`],
    Labels: container.labels,
    State: container.state,
    Status: `Up 3 minutes${health}`,
    NetworkSettings: { Networks: { public: { IPAddress: container.ip } } },
  };
}

function inspectedOf(container: ScriptedContainer): object {
  const { id, name, labels, state, health, ip, port } = container;
  return {
    Id: id,
    Name: `/${name}`,
    State: { Status: state, ...(health === '' ? {} : { Health: { Status: health } }) },
    Config: { Labels: labels, ExposedPorts: { [`${port}/tcp`]: {} } },
    HostConfig: { NetworkMode: 'public' },
    NetworkSettings: {
      Ports: { [`${port}/tcp`]: null },
      Networks: { public: { NetworkID: 'n1', IPAddress: ip, GlobalIPv6Address: '' } },
    },
  };
}
