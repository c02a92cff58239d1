// What the static configuration says of the docker provider, made ready: endpoint, certificates, settings.

import type { StaticConfig } from '../../config/static/schema.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { RuleSyntax } from '../../model/snapshot.ts';
import { readPem } from '../file/pem.ts';
import type { ClientTls } from './client.ts';
import type { DockerProviderOptions } from './docker.ts';
import { parseEndpoint } from './endpoint.ts';

/** Milliseconds for one answer where `httpClientTimeout` is 0: an engine that hangs must not hang us. */
const defaultTimeout = 15_000;

/** Null: there is no docker provider, or `diagnostics` says why it cannot be. Reads certificate files. */
export function dockerOptions(
  config: StaticConfig,
  ruleSyntax: RuleSyntax,
  env: NodeJS.ProcessEnv,
): { options: DockerProviderOptions | null; diagnostics: readonly Diagnostic[] } {
  const { docker } = config.providers;
  if (docker === undefined) return { options: null, diagnostics: [] };
  const parsed = parseEndpoint(docker.endpoint, docker.tls !== undefined);
  if (!parsed.ok) return failed('providers.docker.endpoint', 'docker.endpoint', parsed.problem);
  const diagnostics: Diagnostic[] = [];
  const tls = docker.tls === undefined ? null : readTls(docker.tls, diagnostics);
  if (diagnostics.length > 0) return { options: null, diagnostics };
  const { username = '', password = '', httpClientTimeout } = docker;
  const timeout = httpClientTimeout > 0 ? httpClientTimeout : defaultTimeout;
  return {
    options: {
      client: { endpoint: parsed.endpoint, tls, username, password, timeout },
      settings: {
        exposedByDefault: docker.exposedByDefault,
        constraints: docker.constraints ?? '',
        allowEmptyServices: docker.allowEmptyServices,
        network: docker.network ?? '',
        useBindPortIP: docker.useBindPortIP,
        defaultRule: docker.defaultRule,
        ruleSyntax,
        env,
      },
      watch: docker.watch,
    },
    diagnostics,
  };
}

type TlsConfig = NonNullable<NonNullable<StaticConfig['providers']['docker']>['tls']>;

function readTls(tls: TlsConfig, diagnostics: Diagnostic[]): ClientTls {
  const read = (name: 'ca' | 'cert' | 'key'): string => {
    const value = tls[name] ?? '';
    if (value === '') return '';
    const pem = readPem(value);
    if (pem.ok) return pem.text;
    diagnostics.push(problem(`providers.docker.tls.${name}`, 'config.pem', pem.problem));
    return '';
  };
  const found = { ca: read('ca'), cert: read('cert'), key: read('key') };
  if ((found.cert === '') !== (found.key === '') && diagnostics.length === 0)
    diagnostics.push(
      problem('providers.docker.tls', 'config.pem', '`cert` and `key` are only of use together'),
    );
  return { ...found, insecureSkipVerify: tls.insecureSkipVerify };
}

function failed(
  path: string,
  code: string,
  message: string,
): { options: null; diagnostics: readonly Diagnostic[] } {
  return { options: null, diagnostics: [problem(path, code, message)] };
}

function problem(path: string, code: string, message: string): Diagnostic {
  return { severity: 'error', code, message, where: { source: 'static configuration', path } };
}
