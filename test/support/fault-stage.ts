// Dependencies as processes of their own, to be killed, stopped and replaced by liars while load runs.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts, startGateway, type GatewayOptions, type TestGateway } from './gateway.ts';
import { type SteadyClients, type SteadyOptions, startClients } from './steady-clients.ts';

export interface ServerProcess {
  readonly port: number;
  readonly url: string;
  /** SIGSTOP and SIGCONT: connections are taken, nothing is answered. */
  pause(): void;
  resume(): void;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
  /** On the same port. */
  restart(): Promise<void>;
}

/** Answers with `name`; `/auth` lets everybody in as user 17, `/asked` says how often. Gone at the end of the test. */
export async function startServerProcess(context: TestContext, name: string): Promise<ServerProcess> {
  const [port] = (await freePorts(1)) as [number];
  const file = fileURLToPath(new URL('./ha-backend.ts', import.meta.url));
  let child: ChildProcess | null = null;
  const kill = async (): Promise<void> => {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill('SIGKILL');
    await ended;
  };
  const restart = async (): Promise<void> => {
    await kill();
    const started = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', file, name, `${port}`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    child = started;
    const [line] = (await Promise.race([once(started.stdout, 'data'), once(started, 'exit')])) as unknown[];
    if (String(line).trim() !== 'listening') throw new Error(`${name} did not start: ${String(line)}`);
  };
  await restart();
  context.after(kill);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    kill,
    restart,
  };
}

/** Answers whatever it hears with `say`, on `port` or a free one. Gone at the end of the test. */
export async function startLiar(
  context: TestContext,
  say: (socket: Socket) => void,
  port = 0,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    socket.on('data', () => say(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const ended = once(server, 'close');
    server.close();
    for (const socket of open) socket.destroy();
    await ended;
  };
  context.after(stop);
  return { port: (server.address() as AddressInfo).port, stop };
}

/** Clients that come back whatever happens; they end with the test. */
export function startLoad(
  context: TestContext,
  gateway: TestGateway,
  options: Partial<SteadyOptions> = {},
): SteadyClients {
  const port = gateway.port('web');
  const clients = startClients({ port, connections: 4, reconnect: true, pause: 5, ...options });
  context.after(() => clients.stop());
  return clients;
}

/** Gone at the end of the test; its log must hold no word of a bug. */
export async function startTested(context: TestContext, options: GatewayOptions): Promise<TestGateway> {
  const gateway = await startGateway(options);
  context.after(async () => {
    await gateway.stop();
    const bug = /"level":"fatal"|A bug of the gateway/.exec(gateway.logs());
    if (bug !== null) throw new Error(gateway.logs().slice(Math.max(0, bug.index - 200), bug.index + 800));
  });
  return gateway;
}
