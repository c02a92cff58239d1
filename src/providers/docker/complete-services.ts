// The services of one container's labels, each with the one server that the container is.

import { nearest } from '../../config/decode/unknown-keys.ts';
import { ownValueKey } from '../../config/decode/values.ts';
import { unsupported } from '../../config/dynamic/load.ts';
import { child } from '../../config/dynamic/tree-access.ts';
import type { MapNode, Tree } from '../../config/tree.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { addressOf } from './address.ts';
import type { AddressContext, Remark } from './address.ts';
import type { Container } from './container.ts';
import type { Completion } from './completion.ts';
import { breakObject } from './completion.ts';
import { emptyMap, mapIn, textNode, without, withEntry } from './tree-edit.ts';

/** Null: the whole container is left out, and `completion.diagnostics` says why. */
export function completeServices(
  written: MapNode,
  { container, isServing, byDefault, addresses }: ServiceInput,
  completion: Completion,
): MapNode | null {
  const here = { source: container.name };
  const services =
    names(written).length > 0
      ? written
      : withEntry(emptyMap(here), byDefault, withEntry(emptyMap(here), 'loadBalancer', emptyMap(here)));
  const entries = new Map(services.entries);
  for (const name of names(services)) {
    const node = services.entries.get(name)?.node as Tree;
    if (node.kind !== 'map') continue;
    const service = refuseKinds(name, node, completion);
    const balancer = child(service, 'loadBalancer');
    if (balancer?.kind !== 'map') {
      entries.set(name, { key: service.where, node: service });
      continue;
    }
    const server = child(balancer, 'server');
    const read = serverKeys(name, mapIn(server, balancer.where), completion);
    const servers = isServing ? serverNode(name, read, { container, addresses }, completion) : [];
    if (servers === null) return null;
    let kept = without(without(balancer, 'server'), 'servers');
    if (child(balancer, 'servers') !== null) refuseList(name, balancer, completion);
    kept = withEntry(kept, 'servers', { kind: 'list', items: servers, where: balancer.where });
    const done = withEntry(service, 'loadBalancer', kept);
    entries.set(name, { key: service.where, node: done });
  }
  return { ...services, entries };
}

interface ServiceInput {
  readonly container: Container;
  /** Runs and is not unhealthy: its server is put in. */
  readonly isServing: boolean;
  /** Name of the service when labels name none. */
  readonly byDefault: string;
  readonly addresses: AddressContext;
}

/** Of a section, without its own value. */
export function names(section: MapNode): string[] {
  return [...section.entries.keys()].filter((name) => name !== ownValueKey);
}

const otherKinds = ['weighted', 'mirroring', 'failover', 'highestRandomWeight', 'middlewares'] as const;

/** Without them the object is what it would be if nobody had written them; its errors keep it from answering. */
function refuseKinds(name: string, service: MapNode, completion: Completion): MapNode {
  let kept = service;
  for (const kind of otherKinds) {
    const node = child(service, kind);
    if (node === null) continue;
    kept = without(kept, kind);
    breakObject(completion, 'services', name, {
      severity: 'error',
      code: unsupported,
      message: `\`${kind}\` of a service cannot come from labels`,
      where: node.where,
      hint: `write it into a file of the file provider, where <name>@docker means a service of a container, and let the router name ${name}@file`,
    });
  }
  return kept.entries.size === 0 ? withEntry(kept, 'loadBalancer', emptyMap(service.where)) : kept;
}

function refuseList(name: string, balancer: MapNode, completion: Completion): void {
  const node = child(balancer, 'servers') as Tree;
  breakObject(completion, 'services', name, {
    severity: 'error',
    code: 'config.unknown_key',
    message: '`servers` cannot come from labels: a container is one server',
    where: node.where,
    hint: `write traefik.http.services.${name}.loadbalancer.server.port`,
  });
}

const serverOptions = ['port', 'scheme', 'url', 'weight', 'preservePath', 'drain'] as const;

type ServerKeys = Partial<Record<(typeof serverOptions)[number], Tree>>;

function serverKeys(name: string, server: MapNode, completion: Completion): ServerKeys {
  const found: ServerKeys = {};
  for (const [key, { key: where, node }] of server.entries) {
    const option = serverOptions.find((candidate) => candidate.toLowerCase() === key.toLowerCase());
    if (option !== undefined) {
      found[option] = node;
      continue;
    }
    const near = nearest(key, serverOptions);
    breakObject(completion, 'services', name, {
      severity: 'error',
      code: 'config.unknown_key',
      message: `unknown key \`${key.slice(0, 80)}\` in \`http.services.${name}.loadBalancer.server\``,
      where,
      hint: near === null ? `server has ${serverOptions.join(', ')}` : `did you mean \`${near}\`?`,
    });
  }
  return found;
}

/** The list of servers: one, or none where its label cannot be read; null leaves the container out. */
function serverNode(
  name: string,
  keys: ServerKeys,
  { container, addresses }: Pick<ServiceInput, 'container' | 'addresses'>,
  completion: Completion,
): MapNode[] | null {
  const here = { source: container.name };
  const where = (keys.url ?? keys.port ?? keys.scheme)?.where ?? here;
  let url = textOf(keys.url);
  const scheme = textOf(keys.scheme);
  const written = textOf(keys.port);
  if (url !== '') {
    if (scheme !== '' || written !== '') {
      const message = 'server.url stands beside server.port or server.scheme: the container is left out';
      const hint = 'keep the url, or the other two';
      completion.diagnostics.push({ severity: 'error', code: 'docker.server_url', message, where, hint });
      return null;
    }
  } else {
    const isPort = /^\d{1,5}$/.test(written) && Number(written) >= 1 && Number(written) <= 65_535;
    if (written !== '' && !isPort) {
      breakObject(completion, 'services', name, notAPort(written, where));
      return [];
    }
    const remarks: Remark[] = [];
    const found = addressOf(container, written === '' ? null : Number(written), addresses, remarks);
    for (const remark of remarks) completion.diagnostics.push({ ...remark, where: here });
    if (!found.ok) {
      const { ok: _ok, ...problem } = found;
      completion.diagnostics.push({ severity: 'error', ...problem, where });
      return null;
    }
    const { host, port } = found.address;
    url = `${scheme === '' ? 'http' : scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
  let server = withEntry(emptyMap(where), 'url', textNode(url, where));
  if (keys.weight !== undefined) server = withEntry(server, 'weight', keys.weight);
  if (keys.preservePath !== undefined) server = withEntry(server, 'preservePath', keys.preservePath);
  if (keys.drain !== undefined) server = withEntry(server, 'drain', keys.drain);
  return [server];
}

function textOf(node: Tree | undefined): string {
  return node?.kind === 'scalar' && node.value !== null ? String(node.value).trim() : '';
}

function notAPort(written: string, where: Diagnostic['where']): Diagnostic {
  return {
    severity: 'error',
    code: 'config.invalid_value',
    message: `server.port is ${JSON.stringify(written.slice(0, 40))}, expected a number between 1 and 65535`,
    where,
    ...(written.includes(':')
      ? { hint: 'it is the port inside the container, without what the host publishes' }
      : {}),
  };
}
