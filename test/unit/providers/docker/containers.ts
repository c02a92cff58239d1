// Containers and settings in a short form, and what the docker provider makes of them, for the tests beside this.

import { buildDockerConfig } from '../../../../src/providers/docker/build-config.ts';
import type { Container } from '../../../../src/providers/docker/container.ts';
import type { DockerSettings, LastGood } from '../../../../src/providers/docker/settings.ts';
import type { Resolved } from '../../../../src/config/dynamic/resolve.ts';
import type { Diagnostic } from '../../../../src/model/diagnostic.ts';
import type { LoadBalancerSpec } from '../../../../src/model/snapshot.ts';
import { resolveSources } from '../../config/dynamic/support.ts';

export type Labels = Readonly<Record<string, string>>;

export const settings: DockerSettings = {
  exposedByDefault: true,
  constraints: '',
  allowEmptyServices: false,
  network: '',
  useBindPortIP: false,
  defaultRule: 'Host(`{{ normalize .Name }}`)',
  ownNetworks: [],
  hostAddress: '127.0.0.1',
  ruleSyntax: 'v3',
  env: {},
};

/** Runs, is in the network `net` at 10.0.0.1 and exposes port 80. */
export function container(name: string, labels: Labels = {}, more: Partial<Container> = {}): Container {
  return {
    id: `${name}-id`,
    name,
    labels,
    state: 'running',
    health: '',
    networkMode: 'net',
    networks: [network('net', '10.0.0.1')],
    ports: [port(80)],
    ...more,
  };
}

export function network(name: string, ipv4: string, ipv6 = ''): Container['networks'][number] {
  return { name, id: `${name}-id`, ipv4, ipv6 };
}

export function port(
  number: number,
  protocol: 'tcp' | 'udp' = 'tcp',
  bindings: Container['ports'][number]['bindings'] = [],
): Container['ports'][number] {
  return { port: number, protocol, bindings };
}

export interface Built extends Resolved {
  readonly found: readonly Diagnostic[];
}

export function build(
  containers: readonly Container[],
  more: Partial<DockerSettings> = {},
  lastGood: LastGood = new Map(),
): Built {
  const { config, diagnostics } = buildDockerConfig(containers, { ...settings, ...more }, lastGood);
  return { ...resolveSources([config]), found: diagnostics };
}

export function routerNames({ snapshot }: Resolved): string[] {
  return snapshot.routers.map(({ name }) => name);
}

/** URLs of one service; null: there is no such service. */
export function servers({ snapshot }: Resolved, name: string): string[] | null {
  const service = snapshot.services.find((candidate) => candidate.name === name) as
    | LoadBalancerSpec
    | undefined;
  return service === undefined ? null : service.servers.map(({ url }) => url);
}

/** `severity code source label` of each. */
export function codes(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ severity, code, where }) =>
    [severity, code, where.source, where.path ?? ''].join(' ').trim(),
  );
}
