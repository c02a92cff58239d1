// What an authority, a storage and a clock can do wrong: it is seen, it is tried again, and serving goes on.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import type { ResolverSettings } from '../../../../src/model/acme.ts';
import { openFileStorage } from '../../../../src/primary/acme/storage-file.ts';
import { FencedOff } from '../../../../src/primary/acme/storage.ts';
import { eventually } from '../../../support/gateway.ts';
import { makeAuthority } from '../../../support/pki.ts';
import { type FakeCa, type Fault, problem, type Step, startFakeCa } from './fake-ca.ts';
import { overHttp, resolverSettings, startAcme, type TestAcme, testFolder } from './support.ts';

const timeout = 60_000;

interface Stage {
  readonly ca: FakeCa;
  readonly storage: string;
  readonly settings: ResolverSettings;
  start(changes?: Partial<ResolverSettings>, more?: Parameters<typeof startAcme>[2]): Promise<TestAcme>;
}

async function setStage(t: TestContext): Promise<Stage> {
  const ca = await startFakeCa(t);
  const storage = join(testFolder(), 'acme.json');
  await ca.seed(storage);
  const settings = resolverSettings({ caServer: ca.directory, storage, ...overHttp });
  return {
    ca,
    storage,
    settings,
    start: (changes = {}, more = {}) => startAcme(t, { ...settings, ...changes }, more),
  };
}

const html: Fault = { body: '<html>Welcome to the hotel’s wireless network</html>', type: 'text/html' };
const json = (value: unknown): Fault => ({ body: JSON.stringify(value) });

const answers: readonly (readonly [what: string, step: Step, fault: Fault, error: RegExp])[] = [
  [
    'a page instead of a directory',
    'directory',
    html,
    /answered 200 with text\/html where JSON was expected/,
  ],
  ['half of a directory', 'directory', { body: '{"newNonce":' }, /where JSON was expected/],
  ['an empty directory', 'directory', json({}), /Unable to locate API resource/],
  ['a directory of numbers', 'directory', json({ newNonce: 1, newAccount: 2, newOrder: 3 }), /is no URL/],
  ['a directory of files', 'directory', json({ newNonce: 'file:///etc/passwd', newOrder: 'x' }), /is no URL/],
  ['nothing', 'directory', { body: '' }, /answered with nothing/],
  ['a list', 'order', { body: '[]', status: 201 }, /order link|no order/],
  ['an order without content', 'order', { ...(json({}) as object), body: '{}', status: 201 }, /order link/],
  ['a server error', 'order', { body: 'oops', status: 500, type: 'text/plain' }, /answered 500/],
  [
    'a problem with words',
    'order',
    problem('rejectedIdentifier', 'not this one'),
    /400: not this one \(rejectedIdentifier\)/,
  ],
  ['a problem of a million characters', 'order', problem('malformed', 'x'.repeat(900_000)), /xxx…/],
  ['more than can be an answer', 'order', { body: 'x'.repeat(3_000_000) }, /exceeds 1048576 bytes/],
  ['a connection that is cut', 'order', 'cut', /cannot be reached: socket hang up/],
  ['refused nonces without end', 'order', problem('badNonce', 'not this nonce'), /not this nonce/],
  ['an authorization of nonsense', 'authz', json({ status: 'pending', challenges: 7 }), /no authorization/],
  ['a page instead of a certificate', 'cert', html, /where JSON was expected/],
  ['an object instead of a certificate', 'cert', json({}), /no certificate/],
  [
    'text instead of a certificate',
    'cert',
    { body: 'hello', type: 'application/pem-certificate-chain' },
    /no certificate/,
  ],
];

for (const [what, step, fault, error] of answers) {
  test(`the authority answers with ${what}: it is shown, and the next try succeeds`, {
    timeout,
  }, async (t) => {
    const { ca, start } = await setStage(t);
    ca.faults.set(step, fault);
    const acme = await start();
    acme.wantNames(['a.example.com']);
    const failed = await acme.untilError(['a.example.com'], error);
    assert.ok((failed.lastError ?? '').length <= 1000);
    assert.ok(failed.failures >= 1);
    ca.faults.clear();
    const status = await acme.untilState(['a.example.com'], 'valid');
    assert.equal(status.lastError, null);
  });
}

test('an authority that keeps silent is left after the time-out', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  ca.faults.set('order', 'silence');
  const acme = await start({ clientResponseHeaderTimeout: 200 });
  acme.wantNames(['a.example.com']);
  await acme.untilError(['a.example.com'], /did not answer within 0\.2 s/);
});

test('an authority that is not there is named', { timeout }, async (t) => {
  const { start } = await setStage(t);
  const acme = await start({ caServer: 'http://127.0.0.1:1/directory' });
  acme.wantNames(['a.example.com']);
  await acme.untilError(['a.example.com'], /127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/);
});

test('an order has one deadline', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  ca.faults.set('order', 'silence');
  const acme = await start({}, { times: { order: 300 } });
  acme.wantNames(['a.example.com']);
  await acme.untilError(['a.example.com'], /the order was not done within/);
});

test('Retry-After of a rate limit is waited for', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  ca.faults.set(
    'order',
    problem('rateLimited', 'too many certificates', { status: 429, headers: { 'retry-after': '7200' } }),
  );
  const acme = await start();
  acme.wantNames(['a.example.com']);
  const { nextTry } = await acme.untilError(['a.example.com'], /too many certificates \(rateLimited\)/);
  assert.ok((nextTry ?? 0) - Date.now() > 7_100_000);
});

test('a certificate for another key is not taken', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  const authority = makeAuthority();
  t.after(() => authority.close());
  const { cert } = authority.issue(['a.example.com']);
  ca.faults.set('cert', { body: cert, type: 'application/pem-certificate-chain' });
  const acme = await start();
  acme.wantNames(['a.example.com']);
  await acme.untilError(['a.example.com'], /the key is not the one of the certificate/);
  assert.deepEqual(acme.certificates(), []);
});

test('a certificate for other names is not taken', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  ca.names = ['a.example.com', 'else.example.com'];
  const acme = await start();
  acme.wantNames(['a.example.com', 'b.example.com']);
  await acme.untilError(['a.example.com', 'b.example.com'], /a certificate without b\.example\.com/);
});

test('the reason of a challenge that failed is the authority’s own', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  ca.authzStatus = 'invalid';
  const acme = await start();
  acme.wantNames(['a.example.com']);
  await acme.untilError(
    ['a.example.com'],
    /could not validate a\.example\.com by http-01: saw a 404 at the door \(unauthorized\)/,
  );
  await eventually('the challenge to be withdrawn', () => acme.challenges().length === 0);
});

test('an order that stays pending, or is given up, ends', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  ca.orderStatus = 'processing';
  const acme = await start({}, { times: { order: 400 } });
  acme.wantNames(['a.example.com']);
  await acme.untilError(['a.example.com'], /still processing after|was not done within/);
  await acme.close();
  ca.orderStatus = 'invalid';
  const patient = await start();
  patient.wantNames(['a.example.com']);
  await patient.untilError(['a.example.com'], /gave the order up/);
});

test('a challenge the authority does not offer is said', { timeout }, async (t) => {
  const { start } = await setStage(t);
  const acme = await start({ httpChallenge: null, tlsChallenge: { delay: 0 } });
  acme.wantNames(['a.example.com']);
  await acme.untilError(
    ['a.example.com'],
    /offers http-01 for a\.example\.com, the resolver has tls-alpn-01/,
  );
});

test('names no authority can be asked for are refused without an order', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  const acme = await start();
  const names = [
    '192.0.2.1',
    'localhost',
    'a_b.example.com',
    `${'a.'.repeat(130)}com`,
    '*.example.com',
    '*.*.com',
    '',
  ];
  acme.wantNames(
    ...names.map((name) => [name]),
    Array.from({ length: 101 }, (_, index) => `n${index}.example.com`),
  );
  const status = acme.status();
  assert.equal(status.length, 8);
  for (const one of status) {
    assert.equal(one.state, 'missing');
    assert.notEqual(one.lastError, null);
  }
  assert.match(acme.statusOf('*.example.com')?.lastError ?? '', /needs a `dnsChallenge`/);
  acme.wantNames(['good.example.com'], ['localhost']);
  await acme.untilState(['good.example.com'], 'valid');
  assert.equal(ca.calls.filter((step) => step === 'order').length, 1);
});

test('at most three orders run at once, and each set of names is ordered once whoever wants it', {
  timeout,
}, async (t) => {
  const { ca, start } = await setStage(t);
  ca.delay = 100;
  const acme = await start();
  const names = Array.from({ length: 8 }, (_, index) => `n${index}.example.com`);
  acme.wantNames(...names.map((name) => [name]), ...names.map((name) => [name.toUpperCase()]));
  let most = 0;
  await eventually(
    'all of them',
    () => {
      const status = acme.status();
      most = Math.max(most, status.filter(({ state }) => state === 'ordering').length);
      return status.every(({ state }) => state === 'valid');
    },
    40_000,
  );
  assert.equal(most, 3);
  assert.equal(ca.calls.filter((step) => step === 'order').length, 8);
});

test('what a file or another certificate covers is not ordered', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  const acme = await start(
    {},
    { isCovered: (names) => names.every((name) => name.endsWith('.file.example')) },
  );
  acme.wantNames(['a.example.com', 'b.example.com'], ['b.example.com'], ['x.file.example']);
  await acme.untilState(['a.example.com', 'b.example.com'], 'valid');
  assert.equal(acme.statusOf('b.example.com')?.state, 'valid');
  assert.equal(acme.status().length, 2);
  assert.equal(ca.calls.filter((step) => step === 'order').length, 1);
});

test('what nobody wants any more is served until it runs out, and not renewed', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  let ahead = 0;
  const acme = await start({}, { now: () => Date.now() + ahead });
  acme.wantNames(['a.example.com']);
  await acme.untilState(['a.example.com'], 'valid');
  acme.want([]);
  ahead = 80 * 86_400_000;
  await eventually('nothing to happen', () => acme.status()[0]?.renewAt === null);
  assert.equal(acme.certificates().length, 1);
  ahead = 91 * 86_400_000;
  await eventually('it to go', () => acme.certificates().length === 0);
  assert.equal(acme.status()[0]?.state, 'expired');
  assert.equal(ca.calls.filter((step) => step === 'order').length, 1);
});

test('a clock that jumps ahead renews at the next look, the old one is served meanwhile', {
  timeout,
}, async (t) => {
  const { ca, start } = await setStage(t);
  let ahead = 0;
  const acme = await start({}, { now: () => Date.now() + ahead });
  acme.wantNames(['a.example.com']);
  await acme.untilState(['a.example.com'], 'valid');
  const [before] = acme.certificates();
  ca.faults.set('finalize', problem('serverInternal', 'come back later'));
  ahead = 70 * 86_400_000;
  await acme.untilError(['a.example.com'], /come back later/);
  assert.equal(acme.statusOf('a.example.com')?.state, 'valid');
  assert.equal(acme.certificates()[0]?.fingerprint, before?.fingerprint);
  ca.faults.clear();
  ca.backdated = -ahead;
  await eventually('a new one', () => acme.certificates()[0]?.fingerprint !== before?.fingerprint);
  assert.equal(acme.certificates().length, 1);
});

test('a certificate that is not valid yet is served and logged', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  ca.backdated = -86_400_000;
  const acme = await start();
  acme.wantNames(['a.example.com']);
  await acme.untilState(['a.example.com'], 'valid');
  assert.equal(acme.certificates().length, 1);
  assert.match(acme.logs.join('\n'), /not valid yet by the clock/);
});

test('a certificate that is over on arrival is not ordered again and again', { timeout }, async (t) => {
  const { ca, start } = await setStage(t);
  ca.backdated = 100 * 86_400_000;
  const acme = await start({}, { times: { backoffFirst: 60_000 } });
  acme.wantNames(['a.example.com']);
  await acme.untilError(['a.example.com'], /due for renewal already by the clock of this machine/);
  assert.equal(acme.statusOf('a.example.com')?.failures, 1);
  assert.equal(acme.certificates().length, 1);
});

test('a failure outlives the gateway: the next one waits on', { timeout }, async (t) => {
  const { ca, start, storage } = await setStage(t);
  ca.faults.set('order', problem('rateLimited', 'slowly', { headers: { 'retry-after': '600' } }));
  const before = await start();
  before.wantNames(['a.example.com']);
  await before.untilError(['a.example.com'], /slowly/);
  await before.close();
  const calls = ca.calls.length;
  const after = await start();
  after.wantNames(['a.example.com']);
  const { state, failures, lastError } = after.statusOf('a.example.com') ?? {};
  assert.deepEqual([state, failures], ['waiting', 1]);
  assert.match(lastError ?? '', /slowly/);
  assert.equal(ca.calls.length, calls);
  assert.doesNotMatch(readFileSync(storage, 'utf8'), /slowly/, 'acme.json stays what it was');
});

test('a gateway that ends in the middle of an order ends at once and counts no failure', {
  timeout,
}, async (t) => {
  const { ca, start } = await setStage(t);
  ca.faults.set('order', 'silence');
  const before = await start();
  before.wantNames(['a.example.com']);
  await eventually('the order', () => ca.calls.includes('order'));
  const started = performance.now();
  await before.close();
  assert.ok(performance.now() - started < 1500);
  ca.faults.clear();
  const after = await start();
  after.wantNames(['a.example.com']);
  await after.untilState(['a.example.com'], 'valid');
});

test('a storage that is full: nothing is ordered, what there is is served, it goes on when there is room', {
  timeout,
}, async (t) => {
  const ca = await startFakeCa(t);
  let mounted = '';
  // Before the folder goes: what ends a test runs in the order it was said.
  t.after(() => mounted !== '' && execFileSync('umount', ['-l', mounted]));
  const mount = join(testFolder(), 'small');
  mkdirSync(mount);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount], { stdio: 'pipe' });
  } catch {
    return t.skip('a small file system needs root');
  }
  mounted = mount;
  const storage = join(mount, 'acme.json');
  await ca.seed(storage);
  const acme = await startAcme(t, resolverSettings({ caServer: ca.directory, storage, ...overHttp }));
  acme.wantNames(['a.example.com']);
  await acme.untilState(['a.example.com'], 'valid');
  const before = readFileSync(storage, 'utf8');
  const filler = join(mount, 'filler');
  for (let size = 65_536; size > 0; size -= 512) {
    try {
      writeFileSync(filler, 'x'.repeat(size));
      break;
    } catch {
      // Not yet small enough to fill it to the brim.
    }
  }
  const orders = ca.calls.filter((step) => step === 'order').length;
  acme.wantNames(['a.example.com'], ['b.example.com']);
  await acme.untilError(['b.example.com'], /ENOSPC/);
  assert.equal(readFileSync(storage, 'utf8'), before);
  assert.equal(acme.certificates().length, 1);
  assert.equal(ca.calls.filter((step) => step === 'order').length, orders);
  writeFileSync(filler, '');
  await acme.untilState(['b.example.com'], 'valid');
  assert.match(readFileSync(storage, 'utf8'), /b\.example\.com/);
});

test('a certificate that cannot be stored is served, and stored when that works again', {
  timeout,
}, async (t) => {
  const { ca, start, storage: path } = await setStage(t);
  let isFull = true;
  const acme = await start(
    {},
    {
      openStorage: async ({ storage, name }) => {
        const file = await openFileStorage(storage, name);
        return new Proxy(file, {
          get(target, key) {
            if (key === 'saveCertificate' && isFull)
              return () => Promise.reject(new Error('ENOSPC: no room'));
            const value: unknown = Reflect.get(target, key, target);
            return typeof value === 'function' ? value.bind(target) : value;
          },
        });
      },
    },
  );
  acme.wantNames(['a.example.com']);
  await acme.untilError(['a.example.com'], /obtained, but the storage cannot be written/);
  assert.equal(acme.certificates().length, 1);
  isFull = false;
  await eventually('it to be stored', () => readFileSync(path, 'utf8').includes('a.example.com'));
  // The file is there a moment before the gateway has been told so.
  await eventually('nothing to be wrong', () => acme.statusOf('a.example.com')?.lastError === null);
  assert.equal(ca.calls.filter((step) => step === 'order').length, 1);
});

test('an order whose lease goes to another node ends without a trace', { timeout }, async (t) => {
  const { start, storage: path } = await setStage(t);
  let refuse = true;
  const acme = await start(
    {},
    {
      openStorage: async ({ storage, name }) => {
        const file = await openFileStorage(storage, name);
        return new Proxy(file, {
          get(target, key) {
            if (key === 'saveCertificate' && refuse) {
              return async () => {
                refuse = false;
                throw new FencedOff('another node');
              };
            }
            const value: unknown = Reflect.get(target, key, target);
            return typeof value === 'function' ? value.bind(target) : value;
          },
        });
      },
    },
  );
  acme.wantNames(['a.example.com']);
  await eventually('the lease to be lost', () => !refuse);
  assert.doesNotMatch(readFileSync(path, 'utf8'), /a\.example\.com/);
  assert.match(acme.logs.join('\n'), /another node has taken an order over/);
});
