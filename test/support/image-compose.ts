// Runs a compose file of ours on a real engine: what `docker compose up` does with the keys these files have.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { ImageEngine } from './image-engine.ts';

export interface ComposeOptions {
  /** Below `ops/compose/`. */
  readonly file: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Changes what is parsed. */
  readonly edit?: (file: ComposeFile) => void;
}

export interface ComposeFile {
  readonly name: string;
  readonly services: Record<string, ComposeService>;
  readonly networks?: Record<string, { name?: string; internal?: boolean; external?: boolean } | null>;
}

export interface ComposeService {
  image: string;
  command?: string[];
  user?: string;
  container_name?: string;
  labels?: string[];
  ports?: string[];
  expose?: string[];
  volumes?: string[];
  networks?: string[];
  group_add?: string[];
  environment?: Record<string, string>;
  healthcheck?: { test: string[]; interval: string; timeout: string; retries: number };
  deploy?: { replicas?: number };
  read_only?: boolean;
  tmpfs?: string[];
  cap_drop?: string[];
  security_opt?: string[];
}

export interface Composed {
  /** Container ids by service. */
  readonly ids: ReadonlyMap<string, readonly string[]>;
  inspect(service: string): Promise<Inspected>;
  logs(service: string): Promise<string>;
}

export interface Inspected {
  readonly Id: string;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly Pid: number;
    readonly OOMKilled: boolean;
    readonly StartedAt: string;
    readonly Health?: {
      readonly Status: string;
      readonly Log: readonly { readonly Output: string; readonly End: string }[];
    };
  };
  readonly Config: { readonly User: string };
  readonly HostConfig: { readonly ReadonlyRootfs: boolean; readonly PortBindings: object | null };
  readonly NetworkSettings: { readonly Networks: Record<string, { readonly IPAddress: string }> };
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = fileURLToPath(new URL('../../ops/compose/', import.meta.url));
const services = '/app/test/support/image-service.ts';

/**
 * Creates networks and containers and starts them in the file's order. A service whose image is not `portcullis` is
 * run by `image-service.ts` under its own name.
 */
export async function composeUp(engine: ImageEngine, options: ComposeOptions): Promise<Composed> {
  const path = resolve(folder, options.file);
  const text = readFileSync(path, 'utf8').replace(
    /\$\{(\w+)(?::[-?]([^}]*))?\}/g,
    (_all, name: string, otherwise = '') => options.env?.[name] ?? otherwise,
  );
  const file = parse(text) as ComposeFile;
  options.edit?.(file);
  const networks = new Map<string, string>();
  for (const [key, network] of Object.entries(file.networks ?? {})) {
    const name = network?.name ?? (network?.external === true ? key : `${file.name}_${key}`);
    networks.set(key, name);
    await engine.ask('POST', '/networks/create', { Name: name, Internal: network?.internal === true });
  }
  const ids = new Map<string, string[]>();
  const order = Object.entries(file.services).sort(([, a], [, b]) => rank(a) - rank(b));
  for (const [service, spec] of order)
    for (let replica = 1; replica <= (spec.deploy?.replicas ?? 1); replica += 1) {
      const name = spec.container_name ?? `${file.name}-${service}-${replica}`;
      const names = (spec.networks ?? []).map((key) => networks.get(key) ?? key);
      const id = await startOne(engine, { service, spec, name, networks: names, project: file.name, path });
      ids.set(service, [...(ids.get(service) ?? []), id]);
    }
  const idOf = (service: string): string => ids.get(service)?.[0] ?? '';
  return {
    ids,
    inspect: (service) => inspect(engine, idOf(service)),
    logs: (service) => engine.docker(['logs', idOf(service)]),
  };
}

export function inspect(engine: ImageEngine, id: string): Promise<Inspected> {
  return engine.ask<Inspected>('GET', `/containers/${id}/json`);
}

interface One {
  readonly service: string;
  readonly spec: ComposeService;
  readonly name: string;
  readonly networks: readonly string[];
  readonly project: string;
  readonly path: string;
}

/** The gateway comes last, as it depends on what it asks. */
function rank(spec: ComposeService): number {
  return isGateway(spec) ? 1 : 0;
}

function isGateway(spec: ComposeService): boolean {
  return spec.image === 'portcullis';
}

async function startOne(engine: ImageEngine, one: One): Promise<string> {
  const { service, spec, name, networks, project } = one;
  const [first = 'none', ...others] = networks;
  const endpoint = { Aliases: [service] };
  const exposed = [...(spec.expose ?? []), ...(spec.ports ?? []).map((port) => port.split(':').at(-1) ?? '')];
  const { Id } = await engine.ask<{ Id: string }>('POST', `/containers/create?name=${name}`, {
    ...runOf(service, spec),
    Labels: {
      ...Object.fromEntries((spec.labels ?? []).map(splitOnce)),
      'com.docker.compose.project': project,
      'com.docker.compose.service': service,
    },
    Env: Object.entries(spec.environment ?? {}).map(([key, value]) => `${key}=${value}`),
    ExposedPorts: Object.fromEntries(exposed.map((port) => [`${port}/tcp`, {}])),
    ...(isGateway(spec) && spec.healthcheck !== undefined ? { Healthcheck: healthOf(spec.healthcheck) } : {}),
    HostConfig: {
      NetworkMode: first,
      Binds: bindsOf(engine, one),
      PortBindings: Object.fromEntries((spec.ports ?? []).map(bindingOf)),
      GroupAdd: spec.group_add ?? [],
      ReadonlyRootfs: spec.read_only === true,
      CapDrop: spec.cap_drop ?? [],
      SecurityOpt: spec.security_opt ?? [],
      Tmpfs: Object.fromEntries((spec.tmpfs ?? []).map((place) => [place, ''])),
    },
    NetworkingConfig: { EndpointsConfig: { [first]: endpoint } },
  });
  for (const network of others)
    await engine.ask('POST', `/networks/${network}/connect`, { Container: Id, EndpointConfig: endpoint });
  await engine.ask('POST', `/containers/${Id}/start`);
  return Id;
}

function runOf(service: string, spec: ComposeService): object {
  if (isGateway(spec))
    return {
      Image: spec.image,
      Cmd: spec.command ?? [],
      ...(spec.user === undefined ? {} : { User: spec.user }),
    };
  // The filter opens the socket, which is root's.
  const isFilter = service === 'socket-proxy';
  return {
    Image: 'portcullis',
    Entrypoint: ['/usr/local/bin/node', '--disable-warning=ExperimentalWarning', services],
    Cmd: [service, isFilter ? '2375' : (spec.expose?.[0] ?? '80')],
    ...(isFilter ? { User: '0' } : {}),
    Healthcheck: { Test: ['NONE'] },
  };
}

function bindsOf(engine: ImageEngine, { spec, project, path }: One): readonly string[] {
  const own = (spec.volumes ?? []).map((volume) => {
    const [source = '', ...rest] = volume.split(':');
    if (source === '/var/run/docker.sock') return [engine.socket, ...rest].join(':');
    if (source.startsWith('.')) return [resolve(dirname(path), source), ...rest].join(':');
    return [source.startsWith('/') ? source : `${project}_${source}`, ...rest].join(':');
  });
  return isGateway(spec) ? own : [...own, `${root}:/app:ro`];
}

function bindingOf(port: string): readonly [string, readonly object[]] {
  const parts = port.split(':');
  const [inside = '', outside = ''] = parts.reverse();
  return [`${inside}/tcp`, [{ HostPort: outside, HostIp: parts[2] ?? '' }]];
}

function healthOf(health: NonNullable<ComposeService['healthcheck']>): object {
  return {
    Test: health.test,
    Interval: nanoseconds(health.interval),
    Timeout: nanoseconds(health.timeout),
    Retries: health.retries,
  };
}

function nanoseconds(seconds: string): number {
  return Number(seconds.replace('s', '')) * 1e9;
}

function splitOnce(label: string): readonly [string, string] {
  const at = label.indexOf('=');
  return [label.slice(0, at), label.slice(at + 1)];
}
