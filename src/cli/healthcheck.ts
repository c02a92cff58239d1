// `portcullis healthcheck`: asks the ping of the gateway whose configuration this process is given, or that runs.

import http from 'node:http';
import net from 'node:net';
import { loadStatic } from '../config/static/load.ts';
import type { StaticInput } from '../config/static/load.ts';
import { resolveStatic } from '../config/static/resolve.ts';
import { type Command, type CommandContext, takeOption } from './command.ts';
import { readRunning } from './running.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

interface Question {
  readonly address: Address;
  /** Whether there is a ping to be asked; otherwise a connection is all there is to be had. */
  readonly hasPing: boolean;
}

/** Milliseconds. */
const deadline = 5000;

export const healthcheck: Command = {
  name: 'healthcheck',
  summary: 'Ask /ping of the running gateway; needs `ping` in the configuration given here',
  usage: ['healthcheck [flags]', 'healthcheck --pid N'],
  options: [
    [
      '--pid N',
      'Ask process N, by the flags it runs with (in a container it is 1); without `ping` a connection will do',
    ],
  ],
  run: async (context) => {
    const question = questionFor(context);
    if (question === null) return 1;
    const { address, hasPing } = question;
    const shown = `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
    try {
      if (!hasPing) {
        await connect(address);
        context.out(`OK: ${shown} takes connections, and \`ping\` is not configured\n`);
        return 0;
      }
      const { status, reason } = await head(address);
      if (status === 200) {
        context.out(`OK: http://${shown}/ping\n`);
        return 0;
      }
      context.err(`Bad healthcheck status: ${status} ${reason}\n`);
    } catch (error) {
      context.err(`Error calling healthcheck: ${error instanceof Error ? error.message : 'unknown'}\n`);
    }
    return 1;
  },
};

function questionFor(context: CommandContext): Question | null {
  const { values, rest } = takeOption(context.argv, ['--pid']);
  const pid = values.at(-1);
  if (pid === undefined) return questionOf(context, context, false);
  const running = readRunning(pid);
  if (running !== null) {
    const env = running.env ?? context.env;
    const input = { argv: [...running.argv, ...rest], env, cwd: running.cwd ?? context.cwd };
    return questionOf(context, input, true);
  }
  context.err(`Error calling healthcheck: no gateway is process ${JSON.stringify(pid.slice(0, 20))}\n`);
  return null;
}

function questionOf(context: CommandContext, input: StaticInput, canConnect: boolean): Question | null {
  const { config } = loadStatic(input);
  if (config === null) {
    context.err('Error calling healthcheck: the configuration has errors; `portcullis check` lists them\n');
    return null;
  }
  const { ping, entryPoints } = resolveStatic(config, '');
  const [first] = entryPoints;
  if (ping === null && canConnect && first !== undefined) return { address: first, hasPing: false };
  if (ping === null) {
    context.err('Error calling healthcheck: please enable `ping` to use health check\n');
    return null;
  }
  const entryPoint = entryPoints.find(({ name }) => name === ping.entryPoint);
  if (entryPoint !== undefined) return { address: entryPoint, hasPing: true };
  context.err(`Error calling healthcheck: missing entry point "${ping.entryPoint}"\n`);
  return null;
}

function head(address: Address): Promise<{ status: number; reason: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: reachable(address), port: address.port, method: 'HEAD', path: '/ping', agent: false },
      (response) => {
        response.resume();
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, reason: response.statusMessage ?? '' });
      },
    );
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${deadline} ms`)), deadline);
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end();
  });
}

function connect(address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: reachable(address), port: address.port });
    socket.setTimeout(deadline, () => socket.destroy(new Error(`no connection within ${deadline} ms`)));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

function reachable({ host }: Address): string {
  if (host === '::') return '::1';
  return host === '' || host === '0.0.0.0' ? '127.0.0.1' : host;
}
