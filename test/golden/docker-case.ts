// The containers of a golden case, in a short form, through the docker provider's build.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProviderConfig } from '../../src/config/dynamic/provider-config.ts';
import type { StaticConfig } from '../../src/config/static/schema.ts';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import { buildDockerConfig } from '../../src/providers/docker/build-config.ts';
import type { Container } from '../../src/providers/docker/container.ts';
import { dockerOptions } from '../../src/providers/docker/from-static.ts';

/** `containers.json`. */
interface Written {
  /** Networks the gateway is in. */
  readonly own?: readonly string[];
  readonly containers: readonly ShortContainer[];
}

/** What isn't written: running, without a health check, in the network `net`, TCP port 80. */
interface ShortContainer {
  readonly name: string;
  readonly id?: string;
  readonly state?: string;
  readonly health?: string;
  readonly mode?: string;
  /** Name to address, IPv4 or IPv6. */
  readonly networks?: Readonly<Record<string, string>>;
  /** `80`, `53/udp`, `192.168.0.1:8080:80`. */
  readonly ports?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** Null: the case has no containers. The gateway's host is 172.17.0.1. */
export function dockerCase(
  directory: string,
  config: StaticConfig,
): { config: ProviderConfig; diagnostics: Diagnostic[] } | null {
  const file = join(directory, 'containers.json');
  if (!existsSync(file)) return null;
  const written = JSON.parse(readFileSync(file, 'utf8')) as Written;
  const options = dockerOptions(config, config.core.defaultRuleSyntax, {}).options;
  if (options === null) throw new Error('the case needs --providers.docker');
  const settings = { ...options.settings, ownNetworks: written.own ?? [], hostAddress: '172.17.0.1' };
  return buildDockerConfig(written.containers.map(expand), settings, new Map());
}

function expand(short: ShortContainer, index: number): Container {
  const networks = short.networks ?? { net: `10.0.0.${index + 1}` };
  return {
    id: short.id ?? `${short.name}-id`,
    name: short.name,
    labels: short.labels ?? {},
    state: short.state ?? 'running',
    health: short.health ?? '',
    networkMode: short.mode ?? Object.keys(networks)[0] ?? 'none',
    networks: Object.entries(networks).map(([name, ip]) => ({
      name,
      id: name,
      ipv4: ip.includes(':') ? '' : ip,
      ipv6: ip.includes(':') ? ip : '',
    })),
    ports: (short.ports ?? ['80']).map(expandPort),
  };
}

function expandPort(text: string): Container['ports'][number] {
  const [number = '', protocol = 'tcp'] = text.split('/');
  const parts = number.split(':');
  const [inner, outer, ip] = parts.reverse();
  return {
    port: Number(inner),
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    bindings: outer === undefined ? [] : [{ ip: ip ?? '', port: Number(outer) }],
  };
}
