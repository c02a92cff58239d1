// What the static configuration asks of the dynamic side: providers, defaults, the gateway's own objects.

import type { ResolveInput } from '../config/dynamic/resolve.ts';
import type { ProviderConfig } from '../config/dynamic/provider-config.ts';
import type { ResolvedStatic } from '../config/static/resolve.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { ResolverSettings } from '../model/acme.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { TransportSpec } from '../model/snapshot.ts';
import type { DockerProviderOptions } from './docker/docker.ts';
import { dockerOptions } from './docker/from-static.ts';
import type { FileProviderOptions } from './file/file.ts';
import { rootsOf } from './file/pem.ts';
import { internalConfig } from './internal/internal.ts';

export interface DynamicSide {
  /** The rest of `ResolveInput` beside the providers' sources. */
  readonly base: Omit<ResolveInput, 'sources'>;
  /** Sources that never change. */
  readonly fixed: readonly ProviderConfig[];
  /** Null: no file provider. */
  readonly file: FileProviderOptions | null;
  /** Null: no docker provider. */
  readonly docker: DockerProviderOptions | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the files that the static `serversTransport` names. */
export function dynamicSide(
  config: StaticConfig,
  resolved: ResolvedStatic,
  env: NodeJS.ProcessEnv,
): DynamicSide {
  const { entryPoints, ping, prometheus = null, api, defaultRuleSyntax: ruleSyntax } = resolved;
  const diagnostics: Diagnostic[] = [];
  const serversTransport = defaultTransport(config, diagnostics);
  const docker = dockerOptions(config, ruleSyntax, env);
  diagnostics.push(...docker.diagnostics);
  const challenges = [
    ...new Set(resolved.resolvers.flatMap(({ httpChallenge }) => httpChallenge?.entryPoint ?? [])),
  ];
  const internal = internalConfig({ entryPoints, ping, prometheus, api, challenges });
  return {
    base: {
      entryPoints,
      defaults: { ruleSyntax, serversTransport },
      resolvers: [...resolved.resolvers, ...brokenResolvers(config, resolved)],
    },
    fixed: [internal],
    file: fileOptions(config, ruleSyntax, env),
    docker: docker.options,
    diagnostics,
  };
}

/** What is wrong with them is told where they stand, not by every router that names one. */
function brokenResolvers(
  { certificatesResolvers = {} }: StaticConfig,
  { resolvers }: ResolvedStatic,
): Pick<ResolverSettings, 'name' | 'tlsChallenge'>[] {
  return Object.entries(certificatesResolvers).flatMap(([name, { acme }]) => {
    if (resolvers.some((resolver) => resolver.name === name)) return [];
    return [{ name, tlsChallenge: acme?.tlsChallenge === undefined ? null : { delay: 0 } }];
  });
}

function defaultTransport({ serversTransport }: StaticConfig, diagnostics: Diagnostic[]): TransportSpec {
  const errors: string[] = [];
  const rootCAs = serversTransport.rootCAs.map((value) => rootsOf(value, errors));
  const where = { source: 'static configuration', path: 'serversTransport.rootCAs' };
  for (const message of errors) diagnostics.push({ severity: 'error', code: 'config.pem', message, where });
  const { dialTimeout, responseHeaderTimeout, idleConnTimeout } = serversTransport.forwardingTimeouts;
  return {
    name: 'default@internal',
    serverName: null,
    insecureSkipVerify: serversTransport.insecureSkipVerify,
    rootCAs,
    certificates: [],
    maxIdleConnsPerHost: serversTransport.maxIdleConnsPerHost,
    dialTimeout,
    responseHeaderTimeout,
    idleConnTimeout,
    errors,
  };
}

function fileOptions(
  config: StaticConfig,
  ruleSyntax: FileProviderOptions['ruleSyntax'],
  env: NodeJS.ProcessEnv,
) {
  const file = config.providers.file;
  if (file === undefined) return null;
  const { directory, filename, watch } = file;
  if (directory !== undefined && directory !== '') return { target: { directory }, watch, ruleSyntax, env };
  if (filename !== undefined && filename !== '') return { target: { filename }, watch, ruleSyntax, env };
  return null;
}
