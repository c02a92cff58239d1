// `npm run soak -- --minutes 60`: a long soak, with a report in `.tmp/soak/`.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toMarkdown } from './report.ts';
import { soak, type SoakResult } from './soak.ts';

const usage = `npm run soak -- [flags]

  --minutes N       how long (60)
  --period S        seconds from one reload to the next (60); each period also a worker roll or a killed worker,
                    a restart of a server, a purge
  --redis-every N   periods between two restarts of Redis (10)
  --look S          seconds between two looks (10)
  --scale X         times the usual pace, which is some 380 requests a second (1)
  --out FOLDER      of the report, Markdown and JSON (.tmp/soak)

Needs redis-server and openssl. Ctrl-C ends it early, with a report. Exit code 1: a bound was broken; 2: bad flags.
`;

// redis-server is installed in sbin, which a user's PATH often lacks.
process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;

const flags = read();
const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
process.once('SIGTERM', () => controller.abort());
const result = await soak({
  minutes: numberOf('minutes', 0.1, 10_000),
  period: numberOf('period', 10, 3_600),
  redisEvery: numberOf('redis-every', 1, 1_000),
  look: numberOf('look', 1, 600),
  scale: numberOf('scale', 0.1, 20),
  signal: controller.signal,
  say: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
});
publish(result, flags.out);
process.exit(result.passed ? 0 : 1);

function read(): Readonly<Record<'minutes' | 'period' | 'redis-every' | 'look' | 'scale' | 'out', string>> {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '60' },
        period: { type: 'string', default: '60' },
        'redis-every': { type: 'string', default: '10' },
        look: { type: 'string', default: '10' },
        scale: { type: 'string', default: '1' },
        out: { type: 'string', default: '.tmp/soak' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (!values.help) return values;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}

function numberOf(
  name: 'minutes' | 'period' | 'redis-every' | 'look' | 'scale',
  least: number,
  most: number,
): number {
  const value = Number(flags[name]);
  if (value >= least && value <= most) return value;
  console.error(`--${name} ${flags[name]}: a number from ${least} to ${most} is wanted`);
  process.exit(2);
}

function publish(done: SoakResult, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const name = join(folder, `soak-${done.startedAt.replaceAll(':', '-').slice(0, 19)}`);
  const text = toMarkdown(done);
  writeFileSync(`${name}.md`, text);
  for (const [node, lines] of done.logs) writeFileSync(`${name}-${node}.log`, lines);
  const { ledger, logs: _logs, ...rest } = done;
  const { failures, happened } = ledger;
  writeFileSync(
    `${name}.json`,
    JSON.stringify({
      ...rest,
      counts: [...ledger.counts.values()],
      failures,
      happened: happened.map((one) => ({ ...one, victims: one.victims.size })),
    }),
  );
  console.log(`\n${text}\n${name}.md, ${name}.json`);
}
