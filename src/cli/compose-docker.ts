// The services of a compose file as the containers they would become, and what the docker provider makes of them.

import type { ProviderConfig } from '../config/dynamic/provider-config.ts';
import { labelsOf } from '../config/sources/compose.ts';
import type { ComposeFile, ComposeService } from '../config/sources/compose.ts';
import { isOff, isOn } from '../config/decode/values.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { buildDockerConfig } from '../providers/docker/build-config.ts';
import type { Container } from '../providers/docker/container.ts';

export interface DockerInput {
  /** Whether `config` is the gateway's own, and not one of defaults. */
  readonly isGatewayKnown: boolean;
  /** Of the gateway, for templates. */
  readonly env: NodeJS.ProcessEnv;
  /** The compose file's name. */
  readonly file: string;
}

interface DockerConfigRead {
  readonly sources: readonly ProviderConfig[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The port of an image that exposes none here: as good as any for showing where a route goes. */
const assumedPort = 80;

/** As if every service ran once and were healthy; a container's address is the name of its service. */
export function dockerConfig(
  compose: ComposeFile,
  config: StaticConfig,
  input: DockerInput,
): DockerConfigRead {
  const docker = config.providers.docker;
  const diagnostics: Diagnostic[] = [];
  if (docker === undefined && input.isGatewayKnown) {
    if (compose.services.some(hasLabels)) diagnostics.push(switchedOff(compose, input.file));
    return { sources: [], diagnostics };
  }
  const exposedByDefault = docker?.exposedByDefault ?? true;
  const containers = compose.services.map((service) => {
    const { ports } = service;
    if (
      ports.length === 0 &&
      isPublished(service, exposedByDefault) &&
      !isGateway(compose, service) &&
      !hasPort(service)
    ) {
      diagnostics.push(unknownPort(service));
    }
    return containerOf(service, compose);
  });
  const own = compose.gateways[0]?.networks ?? [];
  const built = buildDockerConfig(
    containers,
    {
      exposedByDefault,
      constraints: docker?.constraints ?? '',
      allowEmptyServices: docker?.allowEmptyServices ?? false,
      network: docker?.network ?? '',
      useBindPortIP: false,
      defaultRule: docker?.defaultRule ?? 'Host(`{{ normalize .Name }}`)',
      ownNetworks: own.map((name) => compose.networks.get(name) ?? name),
      hostAddress: 'host.docker.internal',
      ruleSyntax: config.core.defaultRuleSyntax,
      env: input.env,
    },
    new Map(),
  );
  return { sources: [built.config], diagnostics: [...diagnostics, ...built.diagnostics] };
}

function containerOf(service: ComposeService, compose: ComposeFile): Container {
  const networks = service.networks.map((key) => compose.networks.get(key) ?? key);
  const ports = service.ports.length === 0 ? [assumedPort] : service.ports;
  return {
    id: service.name,
    name: service.containerName,
    labels: labelsOf(service, compose.project),
    state: 'running',
    health: '',
    networkMode: service.networkMode ?? networks[0] ?? 'default',
    networks: networks.map((name) => ({ name, id: name, ipv4: service.name, ipv6: '' })),
    ports: ports.map((port) => ({ port, protocol: 'tcp', bindings: [] })),
  };
}

function isPublished({ labels }: ComposeService, exposedByDefault: boolean): boolean {
  for (const [name, { text }] of labels) {
    if (name.toLowerCase() === 'traefik.enable') return isOn(text) || (!isOff(text) && exposedByDefault);
  }
  return exposedByDefault;
}

function hasLabels({ labels }: ComposeService): boolean {
  return [...labels.keys()].some((name) => /^traefik\.http\./i.test(name));
}

function hasPort({ labels }: ComposeService): boolean {
  return [...labels.keys()].some((name) => /\.loadbalancer\.server\.(?:port|url)$/i.test(name));
}

function isGateway({ gateways }: ComposeFile, service: ComposeService): boolean {
  return gateways.includes(service);
}

function unknownPort({ name, where }: ComposeService): Diagnostic {
  return {
    severity: 'warning',
    code: 'config.unknown_port',
    message: `the port of ${name} is not written: the lowest one its image exposes is taken, which only the engine knows; ${assumedPort} stands here in its place`,
    where,
    hint: `add \`traefik.http.services.${name}.loadbalancer.server.port=…\`, or \`expose\``,
  };
}

function switchedOff(compose: ComposeFile, file: string): Diagnostic {
  const [gateway] = compose.gateways;
  return {
    severity: 'warning',
    code: 'config.no_docker_provider',
    message: `${gateway?.name ?? 'the gateway'} does not read containers: the labels of this file have no effect`,
    where: gateway?.where ?? { source: file },
    hint: 'switch it on: `--providers.docker=true`',
  };
}
