// `npm run bench`: the gateway beside nginx, one worker each, interleaved rounds, medians.

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Load, type LoadOptions, autocannon, hasCommand, wrk } from './load.ts';
import { type Running, cpuTime } from './processes.ts';
import { type Round, toRow, toTable } from './report.ts';
import { type Target, startBackends, startGateway, startNginx } from './targets.ts';

const usage = `npm run bench -- [--seconds 5] [--rounds 3] [--connections 64] [--scenario plain|protected]
                 [--autocannon] [--json]`;

process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    scenario: { type: 'string' },
    autocannon: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (flags.help) {
  console.log(usage);
} else {
  await bench();
}

async function bench(): Promise<void> {
  const load = flags.autocannon || !hasCommand('wrk') ? autocannon : wrk;
  const options: LoadOptions = {
    connections: Number(flags.connections),
    seconds: Number(flags.seconds),
    headers: { Authorization: 'Bearer bench' },
  };
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const started: Running[] = [];
  try {
    const backends = await startBackends(folder);
    started.push(backends.running);
    const [gateway, gatewayTargets] = await startGateway(folder, backends);
    started.push(gateway);
    const nginx = await startNginx(folder, backends);
    if (nginx === null) say('nginx is not on the PATH: no peer to compare with');
    else started.push(nginx[0]);

    const targets = [...gatewayTargets, ...(nginx?.[1] ?? [])]
      .filter((target) => flags.scenario === undefined || target.scenario === flags.scenario)
      .sort((one, other) => one.scenario.localeCompare(other.scenario));
    const rounds = await measure(targets, load, options);
    report(targets, rounds, { load: load === wrk ? 'wrk' : 'autocannon', ...options });
  } finally {
    for (const running of started.reverse()) await running.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  targets: readonly Target[],
  load: Load,
  options: LoadOptions,
): Promise<ReadonlyMap<Target, Round[]>> {
  const rounds = new Map<Target, Round[]>(targets.map((target) => [target, []]));
  // Warm: compiled code, open connections, filled caches.
  for (const target of targets) await load(target.url, { ...options, seconds: 1 });
  for (let round = 1; round <= Number(flags.rounds); round += 1) {
    for (const target of targets) {
      const before = cpuTime(target.pids);
      const result = await load(target.url, options);
      const cpu = (cpuTime(target.pids) - before) / Math.max(1, result.requests);
      rounds.get(target)?.push({ ...result, cpu });
      say(`round ${round} ${target.name}: ${result.requestsPerSecond.toFixed(0)}/s, ${cpu.toFixed(1)} µs`);
    }
  }
  return rounds;
}

function report(targets: readonly Target[], rounds: ReadonlyMap<Target, Round[]>, setup: object): void {
  const rows = targets.map((target) => toRow(target, rounds.get(target) ?? []));
  if (flags.json) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
    console.log(JSON.stringify({ machine, setup, rows }, null, 2));
  } else {
    console.log(`\n${toTable(rows)}`);
  }
}

/** Progress, apart from the result. */
function say(line: string): void {
  console.error(line);
}
