// A peer in a case: its files written, its process started, its configuration changed.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer, Place, Plan } from './peers/peer.ts';
import { openFilesLimit, treeOf } from './proc.ts';
import { freePort, type Running, startProgram } from './processes.ts';
import type { Cell, Measured, Skipped } from './result.ts';
import type { Case, Scenario, Subject } from './scenario.ts';
import type { Backends, Site } from './site.ts';

export interface Entrant {
  readonly peer: Peer;
  readonly site: Site;
  readonly place: Place;
  readonly plan: Plan;
  readonly cell: Cell;
  /** Grows round by round. */
  readonly rounds: Measured[];
  subject: RunningSubject | null;
}

export interface RunningSubject extends Subject {
  readonly running: Running;
}

export interface Field {
  readonly backends: Backends;
  readonly cores: number;
  /** Where each gets a folder of its own. */
  readonly folder: string;
}

/** Other files this process has open. */
const ownFiles = 200;

/** The peer's place in a case; or why it has none. */
export async function enter(
  scenario: Scenario,
  one: Case,
  peer: Peer,
  field: Field,
): Promise<Entrant | Skipped> {
  const name = { scenario: scenario.name, case: one.name, peer: peer.name, cores: field.cores };
  const unable = unableOf(one, peer);
  if (unable !== null) return { ...name, label: peer.name, reason: unable };
  const place = await placeOf(peer, field);
  const less = one.siteFor?.(peer.name) ?? null;
  const site = less?.site ?? one.site;
  const plan = peer.plan(site, place);
  if ('unable' in plan) return { ...name, label: peer.name, reason: plan.unable };
  const label = less === null ? plan.label : `${plan.label} (${less.remark})`;
  return { peer, site, place, plan, cell: { ...name, label }, rounds: [], subject: null };
}

/** Whether the peer takes part, without touching anything. */
export function canEnter(one: Case, peer: Peer, field: Field): boolean {
  if (unableOf(one, peer) !== null) return false;
  const place: Place = { ...field, port: 1, adminPort: 1 };
  return !('unable' in peer.plan(one.siteFor?.(peer.name)?.site ?? one.site, place));
}

/** Throws with what it printed when it does not come up. */
export async function startEntrant({ site, place, plan, peer }: Entrant): Promise<RunningSubject> {
  writeFiles(plan);
  const route = site.routes.at(-1);
  const path = route?.probe ?? route?.path ?? '/';
  const probe = { port: place.port, path, host: route?.host ?? 'bench', isHttps: site.isHttps ?? false };
  const running = await startProgram(plan.program, probe);
  return {
    running,
    port: place.port,
    backends: place.backends,
    bootMs: running.bootMs,
    pids: () => treeOf(running.pid),
    async reload(next) {
      const nextPlan = peer.plan(next, place);
      if ('unable' in nextPlan) throw new Error(nextPlan.unable);
      writeFiles(nextPlan);
      await nextPlan.reload(running.pid);
    },
  };
}

function unableOf(one: Case, peer: Peer): string | null {
  if (one.peers !== undefined && !one.peers.includes(peer.name)) return 'not part of this scenario';
  const limit = openFilesLimit();
  const needed = (one.files ?? 0) + ownFiles;
  return needed > limit ? `needs ${needed} open files and may have ${limit}: raise ulimit -n` : null;
}

let places = 0;

async function placeOf(peer: Peer, { folder: parent, backends, cores }: Field): Promise<Place> {
  const folder = join(parent, `${++places}-${peer.name}`);
  mkdirSync(folder, { recursive: true });
  return { folder, port: await freePort(), adminPort: await freePort(), backends, cores };
}

function writeFiles(plan: Plan): void {
  for (const [file, text] of Object.entries(plan.files)) writeFileSync(file, text);
}
