// The hook that writes records, and the look at whether they are there.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hookFrom } from '../../../../src/primary/acme/dns-hook.ts';
import { followAliases, waitForRecord } from '../../../../src/primary/acme/dns-record.ts';
import { startDnsServer } from '../../../support/dns-server.ts';
import { eventually } from '../../../support/gateway.ts';
import { testFolder } from './support.ts';

const record = {
  domain: 'example.com',
  fqdn: '_acme-challenge.example.com.',
  value: 'the-value',
  token: 'the-token',
  keyAuthorization: 'the-token.thumb',
};
const never = new AbortController().signal;

function program(folder: string, script: string): string {
  const path = join(folder, 'hook.sh');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o700);
  return path;
}

test('the program is run with action, name and value; with EXEC_MODE=RAW with what the value is made of', async () => {
  const folder = testFolder();
  const env = { ...process.env, EXEC_PATH: program(folder, `echo "$# $@" >> ${folder}/log`) };
  await hookFrom(env, 5000).run('present', record, never);
  await hookFrom({ ...env, EXEC_MODE: 'RAW' }, 5000).run('cleanup', record, never);
  assert.deepEqual(readFileSync(join(folder, 'log'), 'utf8').trim().split('\n'), [
    '3 present _acme-challenge.example.com. the-value',
    '5 cleanup -- example.com the-token the-token.thumb',
  ]);
});

test('its times come from the environment, in seconds', () => {
  const hook = hookFrom({ EXEC_PATH: '/x', EXEC_PROPAGATION_TIMEOUT: '7', EXEC_POLLING_INTERVAL: 'x' }, 1);
  assert.deepEqual(
    [hook.propagationTimeout, hook.pollingInterval, hook.sequenceInterval],
    [7000, 3000, 60_000],
  );
});

test('without a program the variable is named', () => {
  assert.throws(() => hookFrom({}, 1), /needs the variable `EXEC_PATH`/);
});

test('a program that fails is quoted, without what was secret in its environment', async () => {
  const folder = testFolder();
  const env = {
    ...process.env,
    EXEC_PATH: program(folder, 'echo "no access with $PROVIDER_TOKEN" >&2; exit 3'),
    PROVIDER_TOKEN: 'hunter2-hunter2',
  };
  await assert.rejects(hookFrom(env, 5000).run('present', record, never), (error: Error) => {
    assert.match(error.message, /`EXEC_PATH present` ended with 3: no access with \*\*\*/);
    assert.ok(!error.message.includes('hunter2'));
    return true;
  });
});

test('a program that is not there, or cannot be run, is said', async () => {
  const path = program(testFolder(), 'true');
  chmodSync(path, 0o600);
  await assert.rejects(
    hookFrom({ EXEC_PATH: path }, 5000).run('present', record, never),
    /cannot be run: EACCES/,
  );
  await assert.rejects(
    hookFrom({ EXEC_PATH: `${path}.x` }, 5000).run('present', record, never),
    /cannot be run: ENOENT/,
  );
});

test('a program without end is ended with all it has started; one that talks without end fills nothing', async () => {
  const folder = testFolder();
  const env = {
    ...process.env,
    EXEC_PATH: program(folder, `(while :; do echo talk; touch ${folder}/alive; done) & wait`),
  };
  await assert.rejects(
    hookFrom(env, 500).run('present', record, never),
    /did not end within 0\.5 s: .{0,300}$/,
  );
  const alive = join(folder, 'alive');
  assert.ok(existsSync(alive));
  // Written again and again as long as the child lives.
  await eventually('the child to be gone', async () => {
    writeFileSync(alive, 'mark');
    const before = readFileSync(alive, 'utf8');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { mtimeMs } = (await import('node:fs')).statSync(alive);
    return before === 'mark' && Date.now() - mtimeMs > 30;
  });
});

test('a run that is given up ends at once', async () => {
  const env = { ...process.env, EXEC_PATH: program(testFolder(), 'sleep 30') };
  const end = new AbortController();
  const running = hookFrom(env, 30_000).run('present', record, end.signal);
  setTimeout(() => end.abort(new Error('the gateway ends')), 50);
  const started = performance.now();
  await assert.rejects(running, /the gateway ends/);
  assert.ok(performance.now() - started < 2000);
});

test('the record is waited for on every server that is asked', async (t) => {
  const servers = [await startDnsServer(), await startDnsServer()];
  t.after(() => Promise.all(servers.map((server) => server.close())));
  const question = {
    fqdn: record.fqdn,
    value: record.value,
    resolvers: servers.map(({ address }) => address),
    timeout: 5000,
    interval: 20,
  };
  let isDone = false;
  const waiting = waitForRecord(question, never).then(() => (isDone = true));
  servers[0]?.txt.set('_acme-challenge.example.com', ['other', record.value]);
  await eventually('questions', () => (servers[0]?.questions.length ?? 0) > 4);
  assert.equal(isDone, false);
  servers[1]?.txt.set('_acme-challenge.example.com', [record.value]);
  await waiting;
});

test('a record that does not appear is named, with who does not see it', async (t) => {
  const server = await startDnsServer();
  t.after(() => server.close());
  const question = { fqdn: record.fqdn, value: 'x', resolvers: [server.address], timeout: 100, interval: 20 };
  await assert.rejects(
    waitForRecord(question, never),
    new RegExp(`did not appear within 0.1 s: not seen by ${server.address}`),
  );
  await assert.rejects(
    waitForRecord({ ...question, resolvers: ['a:b:c'] }, never),
    /`a:b:c` is no DNS server/,
  );
});

test('a zone that hands its challenges to another by CNAME is followed, a loop is not', async (t) => {
  const server = await startDnsServer();
  t.after(() => server.close());
  server.cname.set('_acme-challenge.example.com', 'x.other.example');
  assert.equal(await followAliases(record.fqdn, [server.address], never), 'x.other.example.');
  server.cname.set('x.other.example', '_acme-challenge.example.com');
  assert.match(await followAliases(record.fqdn, [server.address], never), /\.$/);
});
