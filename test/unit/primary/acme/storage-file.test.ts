// `acme.json` as Traefik writes it, read, kept and replaced.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AcmeStorage, Lease } from '../../../../src/primary/acme/storage.ts';
import { openFileStorage } from '../../../../src/primary/acme/storage-file.ts';
import { eventually } from '../../../support/gateway.ts';
import { makeAuthority } from '../../../support/pki.ts';
import { startFakeCa } from './fake-ca.ts';
import { overHttp, resolverSettings, startAcme, testFolder } from './support.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pkcs1 = privateKey.export({ type: 'pkcs1', format: 'der' }).toString('base64');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const written = {
  letsencrypt: {
    Account: {
      Email: 'a@b.c',
      Registration: {
        body: { status: 'valid', contact: ['mailto:a@b.c'] },
        uri: 'https://acme.example/acct/123',
      },
      PrivateKey: pkcs1,
      KeyType: '4096',
    },
    Certificates: [
      {
        domain: { main: 'x.example.com', sans: ['y.example.com'] },
        certificate: base64('CERT'),
        key: base64('KEY'),
        Store: 'default',
        Extra: 7,
      },
      { domain: { main: 'empty.example.com' }, certificate: '', key: base64('KEY'), Store: 'default' },
    ],
    Unknown: { kept: true },
  },
  other: { Account: null, Certificates: null },
};

let leases = 0;

function lease<T>(storage: AcmeStorage, work: (lease: Lease) => Promise<T>): Promise<T | null> {
  leases += 1;
  return storage.withLease(`test ${leases}`, work);
}

test('account and certificates are read as they were written', async (t) => {
  const path = join(testFolder(), 'acme.json');
  writeFileSync(path, JSON.stringify(written), { mode: 0o600 });
  const storage = await openFileStorage(path, 'letsencrypt');
  t.after(() => storage.close());
  const { account, certificates, attempts } = await storage.load();
  assert.equal(account?.uri, 'https://acme.example/acct/123');
  assert.equal(account?.email, 'a@b.c');
  assert.equal(account?.key, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  assert.deepEqual(certificates, [
    { main: 'x.example.com', sans: ['y.example.com'], cert: 'CERT', key: 'KEY' },
  ]);
  assert.deepEqual(attempts, []);
  const empty = await openFileStorage(path, 'other');
  t.after(() => empty.close());
  assert.deepEqual(await empty.load(), { account: null, certificates: [], attempts: [] });
});

test('what is written keeps unknown keys and the parts of others, and can be read by Traefik', async (t) => {
  const path = join(testFolder(), 'acme.json');
  writeFileSync(path, JSON.stringify(written), { mode: 0o600 });
  const [one, two] = [await openFileStorage(path, 'letsencrypt'), await openFileStorage(path, 'other')];
  t.after(() => Promise.all([one.close(), two.close()]));
  const { account } = await one.load();
  assert.ok(account);
  await Promise.all([
    lease(one, (held) =>
      one.saveCertificate({ main: 'x.example.com', sans: ['y.example.com'], cert: 'NEW', key: 'K2' }, held),
    ),
    lease(two, (held) => two.saveAccount(account, held)),
    lease(two, (held) =>
      two.saveCertificate({ main: 'z.example.com', sans: [], cert: 'Z', key: 'ZK' }, held),
    ),
  ]);
  const file = JSON.parse(readFileSync(path, 'utf8')) as typeof written & { other: Record<string, unknown> };
  assert.deepEqual(file.letsencrypt.Unknown, { kept: true });
  assert.deepEqual(file.letsencrypt.Account, written.letsencrypt.Account);
  assert.equal(file.letsencrypt.Certificates.length, 2);
  const [first] = file.letsencrypt.Certificates;
  assert.deepEqual(first, {
    ...written.letsencrypt.Certificates[0],
    certificate: base64('NEW'),
    key: base64('K2'),
  });
  assert.deepEqual(Object.keys(file.other).sort(), ['Account', 'Certificates']);
  assert.deepEqual(file.other, {
    Account: { ...written.letsencrypt.Account, KeyType: '2048' },
    Certificates: [
      { domain: { main: 'z.example.com' }, certificate: base64('Z'), key: base64('ZK'), Store: 'default' },
    ],
  });
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a missing file is made, readable by its owner alone; an empty one is fine', async () => {
  const folder = testFolder();
  const storage = await openFileStorage(join(folder, 'new.json'), 'main');
  await storage.close();
  assert.equal(statSync(join(folder, 'new.json')).mode & 0o777, 0o600);
  writeFileSync(join(folder, 'empty.json'), '', { mode: 0o600 });
  const empty = await openFileStorage(join(folder, 'empty.json'), 'main');
  assert.deepEqual(await empty.load(), { account: null, certificates: [], attempts: [] });
  await empty.close();
});

test('a file others may read is refused with the command that mends it, and then taken', async (t) => {
  const ca = await startFakeCa(t);
  const path = join(testFolder(), 'acme.json');
  await ca.seed(path);
  chmodSync(path, 0o644);
  const acme = await startAcme(t, resolverSettings({ caServer: ca.directory, storage: path, ...overHttp }));
  acme.wantNames(['a.example.com']);
  const { state, lastError } = acme.statusOf('a.example.com') ?? {};
  assert.equal(state, 'missing');
  assert.match(lastError ?? '', /permissions 644 .* too open: `chmod 600 /);
  assert.equal(acme.logs.filter((line) => line.includes('chmod 600')).length, 1);
  chmodSync(path, 0o600);
  await acme.untilState(['a.example.com'], 'valid');
});

for (const [what, text] of [
  ['broken JSON', '{"main": {"Account": {"PrivateKey": "SECRETSECRET'],
  ['a list', '[]'],
  ['a part that is no object', '{"main": 7}'],
  ['version 1 of the format', JSON.stringify({ Account: { PrivateKey: 'SECRETSECRET' } })],
] as const) {
  test(`${what} switches the resolver off and is never written over`, async (t) => {
    const ca = await startFakeCa(t);
    const path = join(testFolder(), 'acme.json');
    writeFileSync(path, text, { mode: 0o600 });
    const acme = await startAcme(t, resolverSettings({ caServer: ca.directory, storage: path, ...overHttp }));
    acme.wantNames(['a.example.com']);
    assert.match(acme.statusOf('a.example.com')?.lastError ?? '', /acme\.json` cannot be used: /);
    assert.equal(readFileSync(path, 'utf8'), text);
    assert.ok(!acme.logs.join().includes('SECRETSECRET'));
    assert.deepEqual(ca.calls, []);
  });
}

test('a folder that is not there is named', async () => {
  await assert.rejects(
    openFileStorage(join(testFolder(), 'none/acme.json'), 'main'),
    /the folder of .* is not there/,
  );
});

test('a link to the file stays a link', async () => {
  const folder = testFolder();
  writeFileSync(join(folder, 'real.json'), '{}', { mode: 0o600 });
  symlinkSync(join(folder, 'real.json'), join(folder, 'acme.json'));
  const storage = await openFileStorage(join(folder, 'acme.json'), 'main');
  await lease(storage, (held) => storage.saveCertificate({ main: 'x', sans: [], cert: 'C', key: 'K' }, held));
  await storage.close();
  assert.match(readFileSync(join(folder, 'real.json'), 'utf8'), /"main": "x"/);
  assert.deepEqual(readdirSync(folder).sort(), ['acme.json', 'real.json']);
});

test('a file that is a mount point of its own is written in its place', async (t) => {
  let mounted = '';
  t.after(() => mounted !== '' && execFileSync('umount', ['-l', mounted]));
  const folder = testFolder();
  const path = join(folder, 'acme.json');
  writeFileSync(join(folder, 'outside.json'), '{"other": {"kept": 1}}', { mode: 0o600 });
  writeFileSync(path, '', { mode: 0o600 });
  try {
    execFileSync('mount', ['--bind', join(folder, 'outside.json'), path], { stdio: 'pipe' });
  } catch {
    return t.skip('a mount needs root');
  }
  mounted = path;
  const storage = await openFileStorage(path, 'main');
  await lease(storage, (held) => storage.saveCertificate({ main: 'x', sans: [], cert: 'C', key: 'K' }, held));
  await storage.close();
  const file = JSON.parse(readFileSync(join(folder, 'outside.json'), 'utf8')) as Record<string, unknown>;
  assert.deepEqual(file['other'], { kept: 1 });
  assert.ok('main' in file);
});

test('failed tries are kept beside the file, also when what was there is broken', async (t) => {
  const path = join(testFolder(), 'acme.json');
  writeFileSync(`${path}.attempts.json`, 'broken');
  const [one, two] = [await openFileStorage(path, 'main'), await openFileStorage(path, 'second')];
  t.after(() => Promise.all([one.close(), two.close()]));
  const attempt = { names: 'a,b', failures: 2, nextTry: 1000, lastError: 'no' };
  await lease(one, (held) => one.saveAttempt(attempt, held));
  await lease(two, (held) => two.saveAttempt({ ...attempt, failures: 1 }, held));
  assert.deepEqual((await one.load()).attempts, [attempt]);
  assert.equal(statSync(`${path}.attempts.json`).mode & 0o777, 0o600);
  await lease(one, (held) => one.saveAttempt({ ...attempt, failures: 0 }, held));
  assert.deepEqual((await one.load()).attempts, []);
  assert.equal((await two.load()).attempts.length, 1);
});

test('one lease at a time for one thing, and challenges are known to all who share the file', async (t) => {
  const path = join(testFolder(), 'acme.json');
  const [one, two] = [await openFileStorage(path, 'main'), await openFileStorage(path, 'main')];
  t.after(() => Promise.all([one.close(), two.close()]));
  let changes = 0;
  two.onChange(() => (changes += 1));
  const fences: number[] = [];
  const result = await one.withLease('x', async ({ fence }) => {
    fences.push(fence);
    assert.equal(await two.withLease('x', async () => 1), null);
    return two.withLease('y', async () => 2);
  });
  assert.equal(result, 2);
  await two.withLease('x', async ({ fence }) => fences.push(fence));
  assert.ok((fences[1] ?? 0) > (fences[0] ?? 0));
  const challenge = { kind: 'http-01', domain: 'a', token: 'tok', keyAuthorization: 'tok.thumb' } as const;
  await one.offer(challenge);
  assert.equal(changes, 1);
  assert.equal(await two.find('tok'), 'tok.thumb');
  assert.deepEqual(await two.offered(), [challenge]);
  await one.withdraw(challenge);
  assert.equal(await two.find('tok'), null);
  await assert.rejects(
    one.withLease('x', () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await two.withLease('x', async () => 3), 3);
});

test('what somebody else writes into the file is handed out without a restart', {
  timeout: 30_000,
}, async (t) => {
  const path = join(testFolder(), 'acme.json');
  const authority = makeAuthority();
  t.after(() => authority.close());
  const { cert, key } = authority.issue(['hand.example.com']);
  const acme = await startAcme(t, resolverSettings({ storage: path, ...overHttp }));
  assert.equal(acme.certificates().length, 0);
  const entry = {
    domain: { main: 'hand.example.com' },
    certificate: base64(cert),
    key: base64(key),
    Store: 'default',
  };
  writeFileSync(path, JSON.stringify({ main: { Account: null, Certificates: [entry] } }));
  await eventually('it', () => acme.certificates().length === 1, 15_000);
  acme.wantNames(['hand.example.com']);
  assert.equal(acme.statusOf('hand.example.com')?.state, 'valid');
  assert.ok(!existsSync(`${path}.attempts.json`));
});
