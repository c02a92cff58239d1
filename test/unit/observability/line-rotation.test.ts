// Rotation by size: several writers to one file lose no line, and old files go.

import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { RotationSettings } from '../../../src/model/settings.ts';
import { createLineWriter, type LineWriter } from '../../../src/observability/line-writer.ts';
import { eventually } from '../../support/gateway.ts';

const once: RotationSettings = { maxBytes: 1000, maxAge: 0, maxBackups: 0, compress: false };

function folder(t: TestContext): string {
  const at = mkdtempSync(join(tmpdir(), 'rotation-'));
  t.after(() => rmSync(at, { recursive: true, force: true }));
  return at;
}

function open(filePath: string, rotation: RotationSettings): LineWriter {
  return createLineWriter({
    filePath,
    mode: 0o644,
    flushChars: 1,
    flushLines: 1,
    flushDelayMs: 1,
    onDropped: () => {},
    rotation,
  });
}

/** Lines until there are as many files; how many lines. */
async function fill(writers: readonly LineWriter[], at: string, files: number): Promise<number> {
  let lines = 0;
  await eventually(`${files} files`, async () => {
    for (const writer of writers) {
      writer.write(`${String(lines++).padStart(99, '0')}\n`);
      await writer.flush();
    }
    return readdirSync(at).filter((name) => name.startsWith('x')).length >= files;
  });
  return lines;
}

test('two writers to one file rotate it and lose no line', async (t) => {
  const at = folder(t);
  const writers = [open(join(at, 'x.log'), once), open(join(at, 'x.log'), once)];
  const lines = await fill(writers, at, 3);
  const names = readdirSync(at);
  const all = names.map((name) => readFileSync(join(at, name), 'utf8')).join('');
  assert.equal(all.length, lines * 100);
  assert.equal(new Set(all.split('\n')).size, lines + 1);
  assert.ok(names.includes('x.log'));
  assert.ok(names.some((name) => /^x-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log$/.test(name)));
});

test('of the old files the newest stay, none beyond their age, and nobody else’s is touched', async (t) => {
  const at = folder(t);
  const old = join(at, 'x-2020-01-02T03-04-05.678.log');
  writeFileSync(old, 'old');
  writeFileSync(join(at, 'x-ray.log'), 'not ours');
  utimesSync(old, 1, 1);
  await fill([open(join(at, 'x.log'), { ...once, maxAge: 60_000, maxBackups: 1 })], at, 4);
  await eventually('the old one is gone', () => !readdirSync(at).includes('x-2020-01-02T03-04-05.678.log'));
  assert.equal(readFileSync(join(at, 'x-ray.log'), 'utf8'), 'not ours');
});

test('old files are compressed when that is wanted', async (t) => {
  const at = folder(t);
  await fill([open(join(at, 'x.log'), { ...once, compress: true })], at, 2);
  const packed = (): string | undefined => readdirSync(at).find((name) => name.endsWith('.log.gz'));
  await eventually('a compressed file', () => packed() !== undefined);
  assert.ok(gunzipSync(readFileSync(join(at, packed() as string))).length >= 1000);
});

test('what another process has half compressed is its own to finish', async (t) => {
  const at = folder(t);
  const writer = open(join(at, 'x.log'), { ...once, compress: true });
  await fill([writer], at, 2);
  const [old = ''] = readdirSync(at).filter((name) => name.startsWith('x-'));
  const half = join(at, `${old}.gz.part`);
  writeFileSync(half, 'half');
  await eventually('a compressed file', () => readdirSync(at).includes(`${old}.gz`));
  assert.equal(readFileSync(half, 'utf8'), 'half');
  assert.ok(gunzipSync(readFileSync(join(at, `${old}.gz`))).length > 0);
});

test('the lock of a process that died holds nobody up', async (t) => {
  const at = folder(t);
  const lock = join(at, 'x.log.rotating');
  mkdirSync(lock);
  utimesSync(lock, 1, 1);
  await fill([open(join(at, 'x.log'), once)], at, 2);
});
