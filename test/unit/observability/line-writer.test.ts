// The line writer: its bound, its report of what was lost, and pipes that nobody reads.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createLineWriter,
  maxPendingChars,
  maxPendingLines,
} from '../../../src/observability/line-writer.ts';

test('lines beyond the bound are dropped, counted and reported once there is room', async (t) => {
  const at = mkdtempSync(join(tmpdir(), 'line-writer-'));
  t.after(() => rmSync(at, { recursive: true }));
  const reports: number[] = [];
  const writer = createLineWriter({
    filePath: join(at, 'x.log'),
    mode: 0o644,
    flushChars: Number.MAX_SAFE_INTEGER,
    flushLines: Number.MAX_SAFE_INTEGER,
    flushDelayMs: 60_000,
    onDropped: (lines) => reports.push(lines),
  });
  const line = `${'x'.repeat(1023)}\n`;
  for (let i = 0; i < maxPendingChars / 1024 + 10; i++) writer.write(line);
  assert.equal(writer.dropped, 10);
  await writer.flush();
  assert.deepEqual(reports, [10]);
  for (let i = 0; i < maxPendingLines + 3; i++) writer.write('\n');
  await writer.flush();
  assert.equal(writer.dropped, 13);
  assert.deepEqual(reports, [10], 'a second report waits for its time');
  assert.equal(readFileSync(join(at, 'x.log'), 'utf8').length, maxPendingChars + maxPendingLines);
});

test('a full disk costs the lines and one report, and a report that fails too starts no loop', async () => {
  let reports = 0;
  const writer = createLineWriter({
    filePath: '/dev/full',
    mode: 0o644,
    flushChars: 1,
    flushLines: 1,
    flushDelayMs: 1,
    onDropped() {
      reports++;
      writer.write('lines were lost\n');
    },
  });
  writer.write('a\n');
  await writer.flush();
  await writer.flush();
  assert.equal(reports, 1);
  assert.equal(writer.dropped, 2);
});

for (const [target, end] of [
  ['socket', ''],
  ['pipe', ' | cat'],
] as const) {
  test(`two processes on one ${target} keep their lines whole, and one nobody reads holds up nothing`, async () => {
    const module = new URL('../../../src/observability/line-writer.ts', import.meta.url).href;
    const script = `
    import { createLineWriter } from ${JSON.stringify(module)};
    const writer = createLineWriter({ filePath: null, mode: 0, flushChars: 65536, flushLines: 1e9, flushDelayMs: 10, onDropped() {} });
    for (let i = 0; i < 3000; i++) writer.write('<' + process.argv[1].repeat(i % 300) + '>\\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.stderr.write('alive ' + writer.dropped + '\\n');
    await writer.flush();
  `;
    const run = `for c in a b; do "$0" --input-type=module -e "$1" "$c" & done; wait`;
    const shared = `{ ${run}; }${end}`;
    const shell = spawn('sh', ['-c', shared, process.execPath, script], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let alive = '';
    shell.stderr.setEncoding('utf8');
    // Nothing is read from the pipe before both have said that their event loops run.
    while ((alive.match(/alive/g) ?? []).length < 2) alive += String((await once(shell.stderr, 'data'))[0]);
    assert.match(alive, /alive 0\nalive 0\n/);
    let text = '';
    shell.stdout.setEncoding('utf8');
    shell.stdout.on('data', (chunk: string) => {
      text += chunk;
    });
    await once(shell, 'close');
    const written = text.split('\n').slice(0, -1);
    assert.equal(written.length, 6000);
    for (const line of written) assert.match(line, /^<(?:a*|b*)>$/);
  });
}
