// How long a run will take: told before it begins, and again while it goes on. Pure.

import { type Field, canEnter } from './entrant.ts';
import { roundSeconds, saturationLooks, warmUps } from './measure.ts';
import type { Peer } from './peers/peer.ts';
import type { Case, Scenario } from './scenario.ts';

/** A case with a number of cores: one step of a run. */
export interface Step {
  readonly scenario: Scenario;
  readonly one: Case;
  readonly cores: number;
  /** Peers that take part. */
  readonly cells: number;
  /** Estimated. */
  readonly seconds: number;
}

export interface Extent {
  readonly rounds: number;
  readonly seconds: number;
  readonly minutes: number;
}

/** Seconds: to start and to stop a proxy, and what a driver needs beside the time it drives. */
const startSeconds = 0.4;
const driverSeconds = 0.15;
/** Of a configuration with thousands of routers, for each. */
const perRoute = 0.0001;

/** Every case of every scenario, for every number of cores. */
export function stepsOf(
  scenarios: readonly Scenario[],
  cores: readonly number[],
  peers: readonly Peer[],
  extent: Extent,
): readonly Step[] {
  const backends = { origin: '127.0.0.1:1', twin: '127.0.0.1:1', node: '127.0.0.1:1', auth: '127.0.0.1:1' };
  return cores.flatMap((count) => {
    const field: Field = { backends, cores: count, folder: '/nowhere' };
    return scenarios.flatMap((scenario) =>
      scenario.cases.map((one) => {
        const entering = peers.filter((peer) => canEnter(one, peer, field));
        const seconds = secondsOf(one, entering, extent);
        return { scenario, one, cores: count, cells: entering.length, seconds };
      }),
    );
  });
}

/** Seconds of one case. */
export function secondsOf(one: Case, peers: readonly Peer[], extent: Extent): number {
  const start = startSeconds + one.site.routes.length * perRoute;
  if (one.together === true) return peers.length * start + extent.minutes * 60;
  const lasts = roundSeconds(one, extent.seconds);
  const round = (one.loads === false ? 0 : lasts) + driverSeconds + (one.extraSeconds ?? 0);
  if (one.fresh === true) return peers.length * extent.rounds * (start + round);
  const warmUp = peers.reduce(
    (sum, peer) => sum + Math.min(peer.compiles === true ? warmUps.compiles : warmUps.else, 2 * lasts),
    0,
  );
  const saturation = one.saturation === undefined ? 0 : saturationLooks;
  return warmUp + saturation + peers.length * (start + extent.rounds * round);
}

/** What is left, in seconds: the estimate of the steps to come, corrected by how the ones before went. */
export function remaining(steps: readonly Step[], done: number, elapsed: number): number {
  const sum = (list: readonly Step[]): number => list.reduce((total, step) => total + step.seconds, 0);
  const past = sum(steps.slice(0, done));
  const pace = past > 0 ? elapsed / past : 1;
  return sum(steps.slice(done)) * pace;
}

/** `1 min 20 s`, in steps of 5 s above one minute. */
export function formatSeconds(seconds: number): string {
  const rounded = seconds < 60 ? Math.round(seconds) : Math.round(seconds / 5) * 5;
  if (rounded < 60) return `${rounded} s`;
  return rounded % 60 === 0 ? `${rounded / 60} min` : `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
}
