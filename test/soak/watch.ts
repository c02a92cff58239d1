// Looks at every process of a soak, at Redis and at the metrics, again and again.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMetrics, type Scrape } from '../support/metrics.ts';
import type { NodeName } from './plan.ts';
import type { ProbeFile } from './probe.ts';
import type { Scene, SoakNode } from './scene.ts';

export interface ProcessSample {
  readonly node: NodeName;
  readonly role: 'primary' | 'worker';
  readonly pid: number;
  /** Bytes. */
  readonly rss: number;
  readonly fds: number;
  /** Seconds, user and system. */
  readonly cpu: number;
  /** Null until its first file. */
  readonly probe: ProbeFile | null;
}

export interface Sample {
  /** `performance.now()`. */
  readonly at: number;
  readonly processes: readonly ProcessSample[];
  /** Null while Redis is away. */
  readonly redis: { readonly keys: number; readonly bytes: number } | null;
  /** Series whose total went back since the last look. */
  readonly shrunk: readonly string[];
  readonly series: number;
}

export interface Watch {
  look(): Promise<Sample>;
}

export function openWatch(scene: Scene): Watch {
  const before = new Map<NodeName, Scrape>();
  return {
    async look() {
      const processes = scene.nodes.flatMap((node) => processesOf(node, scene.probes));
      const shrunk: string[] = [];
      let series = 0;
      for (const { name, gateway } of scene.nodes) {
        const response = await fetch(`${gateway.url('traefik')}/metrics`);
        if (response.status !== 200) throw new Error(`/metrics of ${name}: ${response.status}`);
        const now = parseMetrics(await response.text());
        shrunk.push(...shrunkSince(before.get(name), now).map((one) => `${name}: ${one}`));
        series += now.values.size;
        before.set(name, now);
      }
      return { at: performance.now(), processes, redis: await lookAtRedis(scene), shrunk, series };
    },
  };
}

/** Of counters and histograms that are in both. */
export function shrunkSince(before: Scrape | undefined, now: Scrape): string[] {
  if (before === undefined) return [];
  const isTotal = (series: string): boolean => {
    const name = series.split('{')[0] ?? '';
    const family = name.replace(/_(bucket|sum|count)$/, '');
    return now.types.get(name) === 'counter' || now.types.get(family) === 'histogram';
  };
  return [...now.values]
    .filter(([series, value]) => value < (before.values.get(series) ?? value) && isTotal(series))
    .map(([series, value]) => `${series} ${before.values.get(series)} → ${value}`);
}

function processesOf({ name, gateway }: SoakNode, probes: string): ProcessSample[] {
  const pids = [gateway.pid, ...gateway.workerPids()];
  return pids.flatMap((pid): ProcessSample[] => {
    try {
      const role = pid === gateway.pid ? 'primary' : 'worker';
      const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
      const fds = readdirSync(`/proc/${pid}/fd`).length;
      return [
        { node: name, role, pid, rss: pages * 4096, fds, cpu: cpuOf(pid), probe: readProbe(probes, pid) },
      ];
    } catch {
      // It has just ended.
      return [];
    }
  });
}

function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function readProbe(probes: string, pid: number): ProbeFile | null {
  try {
    return JSON.parse(readFileSync(join(probes, `${pid}.json`), 'utf8')) as ProbeFile;
  } catch {
    return null;
  }
}

async function lookAtRedis({ redis }: Scene): Promise<Sample['redis']> {
  try {
    const [keys, memory] = [await redis.cli('DBSIZE'), await redis.cli('INFO', 'memory')];
    const bytes = Number(/used_memory:(\d+)/.exec(memory)?.[1]);
    const count = Number(keys);
    return Number.isFinite(bytes) && Number.isFinite(count) ? { keys: count, bytes } : null;
  } catch {
    return null;
  }
}
