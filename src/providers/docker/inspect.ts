// What an engine says about a container, checked field by field: engines differ, and none is trusted.

import { isIPv4, isIPv6 } from 'node:net';
import type { Container, ContainerNetwork, ContainerPort } from './container.ts';

/** One entry of the list of containers. */
export interface Listed {
  readonly id: string;
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Equal as long as nothing changed that a route could depend on. */
  readonly signature: string;
}

/** Throws when it is not a list. Entries without an id are left out. */
export function listedFrom(json: unknown): Listed[] {
  if (!Array.isArray(json)) throw new TypeError('the list of containers is not a list');
  const listed: Listed[] = [];
  for (const entry of json as readonly unknown[]) {
    const fields = record(entry);
    const id = text(fields['Id']);
    if (id === '') continue;
    // `Up 3 minutes (healthy)`: of the words only what stands in brackets is no clock.
    const health = /\(.*\)/.exec(text(fields['Status']))?.[0] ?? '';
    const signature = JSON.stringify({ ...fields, Status: health });
    listed.push({
      id,
      state: text(fields['State']).toLowerCase(),
      labels: texts(fields['Labels']),
      signature,
    });
  }
  return listed;
}

/** Throws when it has no id: then it is no container. */
export function containerFrom(json: unknown): Container {
  const root = record(json);
  const id = text(root['Id']);
  if (id === '') throw new TypeError('a container has no id');
  const state = record(root['State']);
  const config = record(root['Config']);
  const settings = record(root['NetworkSettings']);
  return {
    id,
    name: text(root['Name']).replace(/^\//, ''),
    labels: texts(config['Labels']),
    state: stateOf(state),
    health: healthOf(state),
    networkMode: text(record(root['HostConfig'])['NetworkMode']),
    networks: networksOf(settings),
    ports: portsOf(record(settings['Ports']), record(config['ExposedPorts'])),
  };
}

function stateOf(state: Fields): string {
  const status = text(state['Status']).toLowerCase();
  if (status !== '') return status;
  return state['Running'] === true ? 'running' : 'exited';
}

function healthOf(state: Fields): string {
  // Podman has written it under the second name.
  const health = record(state['Health'] ?? state['Healthcheck']);
  const status = text(health['Status']).toLowerCase();
  return status === 'none' ? '' : status;
}

function networksOf(settings: Fields): ContainerNetwork[] {
  const networks = Object.entries(record(settings['Networks'])).map(([name, value]) => {
    const network = record(value);
    return {
      name,
      id: text(network['NetworkID']),
      ipv4: address(network['IPAddress'], isIPv4),
      ipv6: address(network['GlobalIPv6Address'], isIPv6),
    };
  });
  if (networks.length > 0) return networks;
  // Old engines name the default bridge's address only here.
  const ipv4 = address(settings['IPAddress'], isIPv4);
  const ipv6 = address(settings['GlobalIPv6Address'], isIPv6);
  return ipv4 === '' && ipv6 === '' ? [] : [{ name: 'bridge', id: '', ipv4, ipv6 }];
}

function address(value: unknown, isOne: (text: string) => boolean): string {
  const written = text(value);
  return isOne(written) ? written : '';
}

/** Published and only exposed ones, each once. */
function portsOf(published: Fields, exposed: Fields): ContainerPort[] {
  const ports: ContainerPort[] = [];
  for (const key of new Set([...Object.keys(published), ...Object.keys(exposed)])) {
    const match = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(key);
    const port = Number(match?.[1]);
    if (match === null || port < 1 || port > 65_535) continue;
    const bindings = Array.isArray(published[key]) ? (published[key] as readonly unknown[]) : [];
    ports.push({
      port,
      protocol: match[2] === 'udp' ? 'udp' : 'tcp',
      bindings: bindings.map((value) => {
        const binding = record(value);
        return { ip: text(binding['HostIp']), port: Number(text(binding['HostPort'])) || 0 };
      }),
    });
  }
  return ports;
}

type Fields = Readonly<Record<string, unknown>>;

function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function texts(value: unknown): Readonly<Record<string, string>> {
  const found: [string, string][] = Object.entries(record(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(found);
}
