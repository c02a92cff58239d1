// The process log.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LogSettings } from '../../../src/model/settings.ts';
import { createLog, type Log } from '../../../src/observability/log.ts';

function open(t: TestContext, change: Partial<LogSettings> = {}): { log: Log; path: string } {
  const at = mkdtempSync(join(tmpdir(), 'log-'));
  t.after(() => rmSync(at, { recursive: true }));
  const path = join(at, 'deep/er/gateway.log');
  return {
    log: createLog({ level: 'info', format: 'common', noColor: false, filePath: path, ...change }),
    path,
  };
}

async function read(log: Log, path: string): Promise<string[]> {
  await log.flush();
  const text = readFileSync(path, 'utf8');
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

test('the common format is one readable line', async (t) => {
  const { log, path } = open(t);
  log.info('gateway starts');
  log.child('supervisor').warn({ pid: 7, reason: 'it died', ok: true, list: [1, 2] }, 'worker is replaced');
  const [first, second] = await read(log, path);
  assert.match(first as string, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INF gateway starts$/);
  assert.match(
    second as string,
    /Z WRN worker is replaced component=supervisor pid=7 reason="it died" ok=true list=\[1,2\]$/,
  );
});

test('the json format has level, time and message', async (t) => {
  const { log, path } = open(t, { format: 'json' });
  log.error({ pid: 7 }, 'worker died');
  const object = JSON.parse((await read(log, path))[0] as string) as Record<string, unknown>;
  assert.match(object['time'] as string, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.deepEqual({ ...object, time: '' }, { level: 'error', time: '', pid: 7, message: 'worker died' });
});

test('levels below the configured one are not written', async (t) => {
  const { log, path } = open(t, { level: 'warn' });
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[level](level);
  const written = (await read(log, path)).map((line) => line.split(' ')[1]);
  assert.deepEqual(written, ['WRN', 'ERR', 'FTL']);
});

test('secrets are redacted at every depth, and an error is its message', async (t) => {
  for (const format of ['common', 'json'] as const) {
    const { log, path } = open(t, { format });
    log.info(
      {
        authorization: 'hunter2',
        headers: { Cookie: 'hunter2', list: [{ apiKey: 'hunter2' }] },
        redisPassword: 'hunter2',
        token: 'hunter2',
        clientSecret: 'hunter2',
        error: new Error('refused'),
      },
      'dial',
    );
    const [line] = await read(log, path);
    assert.doesNotMatch(line as string, /hunter2/);
    assert.match(line as string, /REDACTED/);
    assert.match(line as string, /refused/);
  }
});

test('hostile text cannot begin a line or drive a terminal', async (t) => {
  const text = 'a\n2026-01-02T15:04:05Z FTL forged\x1b[2J\x7f\x9b"\u2028';
  for (const format of ['common', 'json'] as const) {
    const { log, path } = open(t, { format });
    log.info({ text }, text);
    const written = await read(log, path);
    assert.equal(written.length, 1);
    assert.doesNotMatch(written[0] as string, /[\x00-\x1f\x7f-\x9f\u2028]/);
  }
});

test('a circular or deep value does not stop the log', async (t) => {
  const { log, path } = open(t);
  const loop: Record<string, unknown> = { big: 10n };
  loop['self'] = loop;
  log.info({ loop }, 'still here');
  assert.match((await read(log, path))[0] as string, /still here/);
});

test('after a rotation lines go to a new file', async (t) => {
  const { log, path } = open(t);
  log.info('one');
  await log.flush();
  renameSync(path, `${path}.1`);
  log.reopen();
  log.child('x').info('two');
  assert.equal((await read(log, path)).length, 1);
  assert.equal((await read(log, `${path}.1`)).length, 1);
});

test('a fatal line is written at once', (t) => {
  const { log, path } = open(t);
  log.fatal('over');
  assert.match(readFileSync(path, 'utf8'), /FTL over/);
});

test('lines written just before an exit are not lost', (t) => {
  const module = new URL('../../../src/observability/log.ts', import.meta.url).href;
  const at = mkdtempSync(join(tmpdir(), 'log-'));
  t.after(() => rmSync(at, { recursive: true }));
  const path = join(at, 'x.log');
  for (const ending of ['process.exit(3)', 'undefined']) {
    const script = `
      import { createLog } from ${JSON.stringify(module)};
      const log = createLog({ level: 'info', format: 'json', noColor: true, filePath: ${JSON.stringify(path)} });
      log.error('last words');
      ${ending};
    `;
    spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  }
  assert.equal(readFileSync(path, 'utf8').match(/last words/g)?.length, 2);
});
