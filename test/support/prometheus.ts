// A real Prometheus for tests: scrapes and evaluates every second, and answers queries.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePorts } from './gateway.ts';

export interface Prometheus {
  /** Series of an instant query; rejects with what Prometheus has against it. */
  query(expr: string): Promise<readonly Series[]>;
  /** Values of a label over the series that match. */
  labelValues(label: string, match: string): Promise<readonly string[]>;
  rules(): Promise<readonly RuleState[]>;
  stop(): Promise<void>;
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface RuleState {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  /** Of alerts. */
  readonly state?: 'inactive' | 'pending' | 'firing';
}

export interface PrometheusOptions {
  /** `host:port`, scraped as the job `portcullis`. */
  readonly targets: readonly string[];
  /** Absolute paths. */
  readonly ruleFiles?: readonly string[];
}

export const missingPrometheus: string | false = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').includes(
  'promtool',
)
  ? 'prometheus is not installed'
  : false;

/** Its data lie in a folder of its own until `stop`. */
export async function startPrometheus({ targets, ruleFiles = [] }: PrometheusOptions): Promise<Prometheus> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-prometheus-'));
  const file = join(dir, 'prometheus.yml');
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: [{ job_name: 'portcullis', static_configs: [{ targets }] }],
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config));
  const [port] = (await freePorts(1)) as [number];
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const stop = (): Promise<void> => end(child, dir);
  const base = `http://127.0.0.1:${port}`;
  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`prometheus ended:\n${log}`);
    const answer = await fetch(`${base}/-/ready`).catch(() => null);
    await answer?.body?.cancel();
    return answer?.status === 200;
  };
  try {
    await eventually('Prometheus is ready', isReady, 20_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    query: async (expr) => {
      const { result } = (await ask(`${base}/api/v1/query`, { query: expr })) as { result: RawSeries[] };
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    labelValues: async (label, match) =>
      (await ask(`${base}/api/v1/label/${label}/values`, { 'match[]': match })) as string[],
    rules: async () => {
      const { groups } = (await ask(`${base}/api/v1/rules`, {})) as { groups: { rules: RuleState[] }[] };
      return groups.flatMap(({ rules }) => rules);
    },
    stop,
  };
}

interface RawSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

async function ask(address: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
  const response = await fetch(`${address}?${new URLSearchParams(parameters).toString()}`);
  const answer = (await response.json()) as { status: string; data?: unknown; error?: string };
  if (answer.status !== 'success') throw new Error(`${answer.error}: ${JSON.stringify(parameters)}`);
  return answer.data;
}

async function end(child: ChildProcess, dir: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
  }
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
}
