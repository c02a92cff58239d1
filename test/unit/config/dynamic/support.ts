// Texts → Snapshot in one call, for the tests beside this file.

import { loadDynamic } from '../../../../src/config/dynamic/load.ts';
import type { ProviderConfig } from '../../../../src/config/dynamic/provider-config.ts';
import type { Resolved, ResolveInput } from '../../../../src/config/dynamic/resolve.ts';
import { resolve } from '../../../../src/config/dynamic/resolve.ts';
import { parseYaml } from '../../../../src/config/sources/yaml.ts';
import type { Diagnostic } from '../../../../src/model/diagnostic.ts';
import type { EntryPointSpec } from '../../../../src/model/entry-point.ts';
import type { RouterSpec } from '../../../../src/model/snapshot.ts';
import { internalConfig } from '../../../../src/providers/internal/internal.ts';
import { entryPoint, transport } from '../../../support/specs.ts';

export interface Options {
  readonly entryPoints?: readonly EntryPointSpec[];
  readonly ping?: string;
  readonly insecureApi?: boolean;
  readonly resolvers?: ResolveInput['resolvers'];
}

/** `files`: name → YAML text, all of the file provider. */
export function resolveFiles(
  files: Readonly<Record<string, string>>,
  options: Options = {},
): Resolved & { loaded: Diagnostic[] } {
  const loaded: Diagnostic[] = [];
  const parts = Object.entries(files).map(([name, text]) => {
    const parsed = parseYaml(text, name);
    const read = loadDynamic(parsed.tree, name);
    loaded.push(...parsed.diagnostics, ...read.diagnostics);
    return read.config;
  });
  return { ...resolveSources([{ provider: 'file', parts }], options), loaded };
}

export function resolveSources(sources: readonly ProviderConfig[], options: Options = {}): Resolved {
  const entryPoints = options.entryPoints ?? [entryPoint('web'), entryPoint('traefik', { port: 8080 })];
  const internal = internalConfig({
    entryPoints,
    ping: options.ping === undefined ? null : { entryPoint: options.ping, manualRouting: false },
    api: options.insecureApi === true ? { basePath: '/', insecure: true, dashboard: true } : null,
  });
  return resolve({
    sources: [internal, ...sources],
    entryPoints,
    defaults: { ruleSyntax: 'v3', serversTransport: transport },
    ...(options.resolvers === undefined ? {} : { resolvers: options.resolvers }),
  });
}

export function router(resolved: Resolved, name: string): RouterSpec {
  const found = resolved.snapshot.routers.find((candidate) => candidate.name === name);
  if (found === undefined)
    throw new Error(`no router ${name} in ${resolved.snapshot.routers.map((r) => r.name).join(' ')}`);
  return found;
}

/** `code message` of each. */
export function lines(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ severity, code, message }) => `${severity} ${code} ${message}`);
}
