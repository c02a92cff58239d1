// Where a container's server is reached: which of its networks, which port.

import type { Container, ContainerNetwork } from './container.ts';
import type { DockerSettings } from './settings.ts';

export interface Address {
  /** An IP address or a host name; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface Remark {
  readonly severity: 'warning' | 'info';
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export type AddressResult =
  | { readonly ok: true; readonly address: Address }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly hint?: string };

export interface AddressContext {
  readonly settings: Pick<DockerSettings, 'network' | 'useBindPortIP' | 'ownNetworks' | 'hostAddress'>;
  /** `traefik.docker.network` of a container; null: not written. */
  readonly networkOf: (container: Container) => string | null;
  /** By id (or its beginning) or name. */
  readonly find: (reference: string) => Container | null;
}

/** `port`: of the label; null: the lowest exposed one. Every remark is about the choice that was made. */
export function addressOf(
  container: Container,
  port: number | null,
  context: AddressContext,
  remarks: Remark[],
): AddressResult {
  const inner = port ?? lowestPort(container);
  if (context.settings.useBindPortIP && inner !== null) {
    const bound = boundAddress(container, inner, remarks);
    if (bound !== null) return { ok: true, address: bound };
  }
  const host = hostOf(container, context, remarks);
  if (typeof host !== 'string') return { ok: false, ...host };
  if (inner === null) {
    return {
      ok: false,
      code: 'docker.port_missing',
      message: 'port is missing: the container exposes no TCP port, so it is left out',
      hint: 'write the label traefik.http.services.<name>.loadbalancer.server.port',
    };
  }
  return { ok: true, address: { host, port: inner } };
}

/** Exposed or published, of TCP. */
function lowestPort({ ports }: Container): number | null {
  let lowest: number | null = null;
  for (const { port, protocol } of ports)
    if (protocol === 'tcp' && (lowest === null || port < lowest)) lowest = port;
  return lowest;
}

/** Where the host publishes `inner`, when that is one address and not all of them. */
function boundAddress(container: Container, inner: number, remarks: Remark[]): Address | null {
  const bindings =
    container.ports.find(({ port, protocol }) => port === inner && protocol === 'tcp')?.bindings ?? [];
  const bound = bindings.find(({ ip }) => ip !== '' && ip !== '0.0.0.0' && ip !== '::');
  if (bound !== undefined) return { host: bound.ip, port: bound.port };
  const message =
    bindings.length === 0
      ? `port ${inner} is not published on the host: the container's own address is used`
      : `port ${inner} is published on every address of the host: the container's own address is used`;
  remarks.push({ severity: 'info', code: 'docker.binding', message });
  return null;
}

/** Containers that share another's network, one after the other. */
const maxHops = 4;

function hostOf(
  container: Container,
  context: AddressContext,
  remarks: Remark[],
): string | { code: string; message: string; hint?: string } {
  const { settings } = context;
  let at = container;
  let wanted = context.networkOf(container) ?? settings.network;
  for (let hop = 0; hop <= maxHops; hop += 1) {
    const named = wanted === '' ? null : namedNetwork(at, wanted, remarks);
    if (named !== null) return named;
    if (at.networkMode === 'host') return settings.hostAddress;
    const reference = /^container:(.+)$/.exec(at.networkMode)?.[1];
    if (reference === undefined) return chosenNetwork(at, settings.ownNetworks, remarks) ?? noAddress;
    const other = context.find(reference);
    if (other === null) {
      const message = `the container ${reference.slice(0, 80)}, whose network it shares, is not there: it is left out`;
      return { code: 'docker.no_address', message };
    }
    at = other;
    wanted = context.networkOf(other) ?? wanted;
  }
  return noAddress;
}

const noAddress = {
  code: 'docker.no_address',
  message: 'the container has no IP address in any network: it is left out',
};

/** Null, with a warning, when the container isn't in it. */
function namedNetwork(container: Container, wanted: string, remarks: Remark[]): string | null {
  const network = container.networks.find(({ name }) => name === wanted);
  if (network !== undefined) {
    const ip = addressIn(network);
    if (ip !== '') return ip;
  }
  // A container in host mode has no other network, whatever the provider's default says.
  if (container.networkMode === 'host' || container.networkMode.startsWith('container:')) return null;
  const names = container.networks.map(({ name }) => name).sort();
  const prefixed = names.find((name) => name.endsWith(`_${wanted}`));
  remarks.push({
    severity: 'warning',
    code: 'docker.network',
    message: `the container is not in the network ${wanted.slice(0, 80)}: it is in ${shown(names)}`,
    hint:
      prefixed === undefined
        ? 'put the container into that network, or name one of its own in traefik.docker.network'
        : `compose puts the project's name first: write traefik.docker.network=${prefixed}`,
  });
  return null;
}

/** One the gateway is in as well, else the first by name. */
function chosenNetwork(container: Container, own: readonly string[], remarks: Remark[]): string | null {
  const usable = container.networks
    .filter((network) => addressIn(network) !== '')
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const shared = usable.filter(({ name }) => own.includes(name));
  const network = shared[0] ?? usable[0];
  if (network === undefined) return null;
  const names = usable.map(({ name }) => name);
  if (own.length > 0 && shared.length === 0) {
    remarks.push({
      severity: 'warning',
      code: 'docker.network',
      message: `the gateway is in none of the container's networks (${shown(names)}): ${network.name} is taken, and may not be reached`,
      hint: `put the gateway into ${network.name}, or the container into one of ${shown([...own].sort())}`,
    });
  } else if (shared.length !== 1 && names.length > 1) {
    remarks.push({
      severity: 'warning',
      code: 'docker.network',
      message: `the container is in ${names.length} networks (${shown(names)}): ${network.name} is taken, the first by name`,
      hint: `write the label traefik.docker.network=${network.name}, or the one you mean`,
    });
  }
  return addressIn(network);
}

function addressIn({ ipv4, ipv6 }: ContainerNetwork): string {
  return ipv4 === '' ? ipv6 : ipv4;
}

function shown(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const listed = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${listed} and ${names.length - 5} more` : listed;
}
