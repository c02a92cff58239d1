// Probe: whether entry points can have their ports, and who has them.

import type { EntryPointSpec } from '../../model/entry-point.ts';
import { listenProblem, tryPort } from '../../primary/port-check.ts';
import type { Finding } from './finding.ts';
import { type Holder, holderOf } from './holder.ts';
import type { Scene } from './scene.ts';

export async function probePorts({ resolved }: Scene): Promise<Finding[]> {
  const points = (resolved?.entryPoints ?? []).filter(({ port }) => port !== 0);
  const found = await Promise.all(points.map(async (point) => await probePort(point)));
  const free = found.flatMap((finding, index) => (finding === null ? [addressOf(points[index])] : []));
  const findings = found.filter((finding) => finding !== null);
  return free.length === 0 ? findings : [{ level: 'ok', says: `free: ${free.join(', ')}` }, ...findings];
}

async function probePort(point: EntryPointSpec): Promise<Finding | null> {
  const code = await tryPort(point.host, point.port);
  if (code === null) return null;
  const holder = code === 'EADDRINUSE' ? holderOf(point.port) : null;
  if (holder?.isGateway === true)
    return { level: 'ok', says: `${addressOf(point)} is held by a running gateway, pid ${holder.pid}` };
  const by = holder === null ? '' : `, by ${holder.name} (pid ${holder.pid})`;
  return { level: 'error', says: `${listenProblem(point, code)}${by}`, fix: fixOf(code, point, holder) };
}

function fixOf(code: string, { name, port }: EntryPointSpec, holder: Holder | null): string {
  if (code === 'EADDRINUSE') {
    const other = `or write another port: \`--entrypoints.${name}.address=:PORT\``;
    return holder === null
      ? `\`sudo ss -ltnp 'sport = :${port}'\` says who has it; stop that, ${other}`
      : `stop ${holder.name}, ${other}`;
  }
  if (code === 'EACCES')
    return '`AmbientCapabilities=CAP_NET_BIND_SERVICE` in the unit, or `sysctl net.ipv4.ip_unprivileged_port_start=80`';
  if (code === 'EADDRNOTAVAIL')
    return '`ip address` lists what there is; for an address that comes later: `sysctl net.ipv4.ip_nonlocal_bind=1`';
  return `look at \`entryPoints.${name}.address\``;
}

function addressOf(point: EntryPointSpec | undefined): string {
  if (point === undefined) return '';
  const host = point.host.includes(':') ? `[${point.host}]` : point.host;
  return `${point.name} ${host}:${point.port}`;
}
