// `portcullis healthcheck`: asks the ping of the gateway whose configuration this process is given.

import http from 'node:http';
import { loadStatic } from '../config/static/load.ts';
import { resolveStatic } from '../config/static/resolve.ts';
import type { Command, CommandContext } from './command.ts';

/** Milliseconds. */
const deadline = 5000;

export const healthcheck: Command = {
  name: 'healthcheck',
  summary: 'Ask /ping of the running gateway; needs `ping` in the configuration given here',
  usage: ['healthcheck [flags]'],
  run: async (context) => {
    const address = pingAddress(context);
    if (address === null) return 1;
    const url = `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}/ping`;
    try {
      const { status, reason } = await head(address);
      if (status === 200) {
        context.out(`OK: ${url}\n`);
        return 0;
      }
      context.err(`Bad healthcheck status: ${status} ${reason}\n`);
    } catch (error) {
      context.err(`Error calling healthcheck: ${error instanceof Error ? error.message : 'unknown'}\n`);
    }
    return 1;
  },
};

function pingAddress(context: CommandContext): { host: string; port: number } | null {
  const { config } = loadStatic(context);
  if (config === null) {
    context.err('Error calling healthcheck: the configuration has errors; `portcullis check` lists them\n');
    return null;
  }
  const { ping, entryPoints } = resolveStatic(config, '');
  if (ping === null) {
    context.err('Error calling healthcheck: please enable `ping` to use health check\n');
    return null;
  }
  const entryPoint = entryPoints.find(({ name }) => name === ping.entryPoint);
  if (entryPoint === undefined)
    context.err(`Error calling healthcheck: missing entry point "${ping.entryPoint}"\n`);
  return entryPoint ?? null;
}

function head(address: { host: string; port: number }): Promise<{ status: number; reason: string }> {
  const isAny = address.host === '' || address.host === '0.0.0.0' || address.host === '::';
  const host = isAny ? (address.host === '::' ? '::1' : '127.0.0.1') : address.host;
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host, port: address.port, method: 'HEAD', path: '/ping', agent: false },
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
