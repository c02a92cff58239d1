// Where the API of a gateway answers, from `--endpoint` or from the static configuration it runs with.

import { loadStatic } from '../../config/static/load.ts';
import { resolveStatic } from '../../config/static/resolve.ts';
import type { CommandContext } from '../command.ts';

export type Found =
  | { readonly endpoint: string }
  /** `problem` is a sentence; exit code 2 means called wrongly. */
  | { readonly problem: string; readonly code: 1 | 2 };

const usual = 'http://127.0.0.1:8080';

/** `written`: values of `--endpoint`; `flags`: what else is on the command line. */
export function findEndpoint(
  written: readonly string[],
  flags: readonly string[],
  { env, cwd }: CommandContext,
): Found {
  const [endpoint] = written;
  if (endpoint === undefined) return fromStatic(flags, env, cwd);
  if (flags.length > 0)
    return { problem: 'with --endpoint the running gateway is asked: give no flags', code: 2 };
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    return { problem: '--endpoint must be an http:// or https:// URL', code: 2 };
  const url = new URL(endpoint);
  url.search = '';
  url.hash = '';
  return { endpoint: url.href.replace(/\/+$/, '') };
}

function fromStatic(flags: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Found {
  const { config, usedSource } = loadStatic({ argv: flags, env, cwd });
  if (usedSource === 'none') return { endpoint: usual };
  if (config === null)
    return { problem: 'the configuration has errors; `portcullis check` lists them', code: 1 };
  const { api, entryPoints } = resolveStatic(config, '');
  if (api === null)
    return {
      problem:
        'this configuration has no API; write `--api.insecure=true`, or `api: {}` and a router to `api@internal`',
      code: 1,
    };
  const entryPoint = entryPoints.find(({ name }) => name === 'traefik');
  if (!api.insecure || entryPoint === undefined)
    return {
      problem:
        'the API of this configuration is where a router of yours puts it; name the place with --endpoint https://…',
      code: 1,
    };
  const { host, port } = entryPoint;
  const isAny = host === '' || host === '0.0.0.0' || host === '::';
  const shown = isAny ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return { endpoint: `http://${shown}:${port}${api.basePath.replace(/\/+$/, '')}` };
}
