// ACME's storage in Redis: what several nodes see of each other, and who may write.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Challenge } from '../../src/model/acme.ts';
import { parseFile, printFile, withCertificate } from '../../src/primary/acme/file-format.ts';
import { FencedOff } from '../../src/primary/acme/storage.ts';
import type { AcmeStorage, Lease, ResolverState } from '../../src/primary/acme/storage.ts';
import type { RedisConnection } from '../../src/state/redis/connect.ts';
import { connect, storageOn } from '../support/redis-client.ts';
import {
  missingRedis,
  type RedisServer,
  redisSettings,
  startCluster,
  startRedis,
  startSentinels,
  until,
} from '../support/redis-server.ts';

const skip = missingRedis;
const account = {
  email: 'a@example.com',
  uri: 'https://ca/acct/1',
  registration: { status: 'valid' },
  key: 'KEY',
};
const certificate = { main: 'a.example', sans: ['b.example'], cert: 'CERT', key: 'KEY' };
const http: Challenge = {
  kind: 'http-01',
  domain: 'a.example',
  token: 'tok_en-1',
  keyAuthorization: 'tok_en-1.thumb',
};
const alpn: Challenge = { kind: 'tls-alpn-01', domain: 'b.example', keyAuthorization: 'x.thumb' };

interface Pair {
  readonly server: RedisServer;
  readonly one: AcmeStorage;
  readonly two: AcmeStorage;
  readonly connections: readonly RedisConnection[];
}

async function pair(context: TestContext, leaseTtl = 30_000): Promise<Pair> {
  const server = await startRedis(context);
  const connections = [0, 1].map(() => connect(context, redisSettings(server.port)).connection);
  const [one, two] = await Promise.all(
    connections.map(async (connection) => await storageOn(context, connection, { leaseTtl })),
  );
  return { server, one: one as AcmeStorage, two: two as AcmeStorage, connections };
}

/** Runs `work` under a lease nobody else has. */
async function under<T>(storage: AcmeStorage, what: string, work: (lease: Lease) => Promise<T>): Promise<T> {
  const done = await storage.withLease(what, async (lease) => ({ value: await work(lease) }));
  assert.ok(done, 'somebody else holds the lease');
  return done.value;
}

test('what one node saves the other loads', { skip }, async (context) => {
  const { one, two } = await pair(context);
  assert.deepEqual(await two.load(), { account: null, certificates: [], attempts: [] });
  const attempt = { names: 'a.example,b.example', failures: 2, nextTry: 1_900_000_000_000, lastError: 'no' };
  await under(one, 'order', async (lease) => {
    await one.saveAccount(account, lease);
    await one.saveCertificate({ ...certificate, cert: 'OLD' }, lease);
    await one.saveCertificate(certificate, lease);
    await one.saveCertificate({ ...certificate, sans: [] }, lease);
    await one.saveAttempt(attempt, lease);
  });
  const state = await two.load();
  assert.deepEqual(state.account, account);
  assert.equal(state.certificates.length, 2);
  assert.ok(state.certificates.some((each) => each.cert === 'CERT' && each.sans[0] === 'b.example'));
  assert.deepEqual(state.attempts, [attempt]);
  await under(two, 'order', async (lease) => await two.saveAttempt({ ...attempt, failures: 0 }, lease));
  assert.deepEqual((await one.load()).attempts, []);
});

test('the keys of a resolver share a hash tag and begin with the prefix', { skip }, async (context) => {
  const { server, one } = await pair(context);
  await one.offer(http);
  await under(one, 'order', async (lease) => {
    await one.saveAccount(account, lease);
    await one.saveCertificate(certificate, lease);
  });
  const keys = (await server.cli('KEYS', '*')).split('\n');
  assert.equal(keys.length, 5, keys.join());
  for (const key of keys) assert.match(key, /^portcullis:\{acme:le\}:/);
});

test('a lease is one holder’s at a time, over 200 tries of two nodes', { skip }, async (context) => {
  const { one, two } = await pair(context);
  let running = 0;
  let most = 0;
  let done = 0;
  let refused = 0;
  const fences: number[] = [];
  const attempt = async (storage: AcmeStorage): Promise<void> => {
    const result = await storage.withLease('order', async (lease) => {
      running += 1;
      most = Math.max(most, running);
      fences.push(lease.fence);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      return true;
    });
    if (result === null) refused += 1;
    else done += 1;
  };
  for (let round = 0; round < 20; round += 1)
    await Promise.all(Array.from({ length: 10 }, async (_, i) => await attempt(i % 2 === 0 ? one : two)));
  assert.equal(most, 1);
  assert.equal(done + refused, 200);
  assert.ok(done >= 20 && refused > 0, `${done} done, ${refused} refused`);
  assert.deepEqual(
    fences,
    fences.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(fences).size, fences.length);
});

test('who lost the lease can save nothing any more; leases for other things do not matter', {
  skip,
}, async (context) => {
  const { server, one, two } = await pair(context, 600);
  await under(one, 'order', async (lease) => {
    // As if this node had been stopped for longer than its lease lasts.
    await server.cli('DEL', 'portcullis:{acme:le}:lease:order');
    await under(two, 'other', async (other) => await two.saveAccount(account, other));
    await one.saveCertificate({ ...certificate, cert: 'MINE' }, lease);
    await under(two, 'order', async (newer) => {
      assert.ok(newer.fence > lease.fence);
      await two.saveCertificate(certificate, newer);
      await assert.rejects(one.saveCertificate({ ...certificate, cert: 'STALE' }, lease), FencedOff);
      await assert.rejects(one.saveAccount({ ...account, uri: 'stale' }, lease), FencedOff);
      await assert.rejects(
        one.saveAttempt({ names: 'a', failures: 1, nextTry: 0, lastError: '' }, lease),
        FencedOff,
      );
    });
    // The new holder is done and gone: still fenced off.
    await assert.rejects(one.saveCertificate({ ...certificate, cert: 'STALE' }, lease), FencedOff);
    await until('the loss is told', () => lease.signal.aborted, 5000);
  });
  const state = await one.load();
  assert.deepEqual(state.certificates, [certificate]);
  assert.equal(state.account?.uri, account.uri);
  assert.deepEqual(state.attempts, []);
  await assert.rejects(
    one.saveAccount(account, { fence: Number.MAX_SAFE_INTEGER, signal: AbortSignal.abort() }),
    FencedOff,
  );
});

test('a lease is renewed while its holder works', { skip }, async (context) => {
  const { one, two } = await pair(context, 400);
  await under(one, 'order', async (lease) => {
    const end = performance.now() + 1500;
    while (performance.now() < end) {
      assert.equal(await two.withLease('order', async () => true), null);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(lease.signal.aborted, false);
  });
  assert.equal(await two.withLease('order', async () => true), true);
});

test('a holder that cannot reach Redis is told before its lease is over', { skip }, async (context) => {
  const { server, one } = await pair(context, 1200);
  context.after(() => server.resume());
  await under(one, 'order', async (lease) => {
    const renewed = performance.now();
    server.pause();
    await until('the loss is told', () => lease.signal.aborted, 5000);
    assert.ok(performance.now() - renewed < 1300);
    server.resume();
  });
});

test('fences go on rising when Redis has forgotten everything', { skip }, async (context) => {
  const { server, one, two } = await pair(context);
  await under(one, 'order', async (lease) => {
    await server.cli('FLUSHALL');
    await under(two, 'order', async (newer) => {
      assert.ok(newer.fence > lease.fence);
      await assert.rejects(one.saveAccount(account, lease), FencedOff);
    });
  });
});

test('a challenge that one node offers is found by the other until it is withdrawn', {
  skip,
}, async (context) => {
  const { server, one, two } = await pair(context);
  await one.offer(http);
  await one.offer(alpn);
  await one.offer(alpn);
  assert.equal(await two.find('tok_en-1'), 'tok_en-1.thumb');
  assert.equal(await two.find('unknown'), null);
  assert.equal(await two.find('*'), null);
  assert.equal(await two.find('x'.repeat(100_000)), null);
  assert.deepEqual(
    (await two.offered()).toSorted((a, b) => a.domain.localeCompare(b.domain)),
    [http, alpn],
  );
  const left = Number(await server.cli('PTTL', 'portcullis:{acme:le}:token:tok_en-1'));
  assert.ok(left > 590_000 && left <= 600_000, String(left));
  assert.ok(Number(await server.cli('PTTL', 'portcullis:{acme:le}:challenges')) > 590_000);
  await two.withdraw({ ...http });
  assert.equal(await one.find('tok_en-1'), null);
  assert.deepEqual(await one.offered(), [alpn]);
});

test('at most 1,000 challenges and 2,000 certificates are kept, of 64 KiB each', {
  skip,
}, async (context) => {
  const { one, two } = await pair(context);
  for (let i = 0; i < 1000; i += 100) {
    await Promise.all(
      Array.from({ length: 100 }, async (_, j) => await one.offer({ ...alpn, domain: `d${i + j}.example` })),
    );
  }
  await assert.rejects(one.offer(http), /1000 challenges/);
  await one.offer({ ...alpn, domain: 'd0.example' });
  assert.equal((await two.offered()).length, 1000);
  await under(one, 'order', async (lease) => {
    for (let i = 0; i < 2000; i += 200) {
      await Promise.all(
        Array.from(
          { length: 200 },
          async (_, j) => await one.saveCertificate({ ...certificate, main: `c${i + j}.example` }, lease),
        ),
      );
    }
    await assert.rejects(one.saveCertificate(certificate, lease), /2000/);
    await one.saveCertificate({ ...certificate, main: 'c0.example', cert: 'NEW' }, lease);
    await assert.rejects(one.saveCertificate({ ...certificate, cert: 'x'.repeat(65_536) }, lease), /64 KiB/);
  });
  const { certificates } = await two.load();
  assert.equal(certificates.length, 2000);
  assert.equal(certificates.find(({ main }) => main === 'c0.example')?.cert, 'NEW');
});

test('what others have written is told within a second, what the node wrote itself is not', {
  skip,
}, async (context) => {
  const { server, one, two } = await pair(context);
  let told = 0;
  let own = 0;
  two.onChange(() => {
    told += 1;
  });
  one.onChange(() => {
    own += 1;
  });
  await until('both listen', () => told >= 1 && own >= 1);
  const before = { told, own };
  const written = performance.now();
  await one.offer(http);
  await until('the other is told', () => told > before.told, 1000);
  assert.ok(performance.now() - written < 1000);
  await until('gathered', () => told === before.told + 1);
  await under(one, 'order', async (lease) => await one.saveAccount(account, lease));
  await until('told again', () => told > before.told + 1, 1000);
  assert.equal(own, before.own);
  const last = told;
  await server.kill();
  await server.restart();
  await until('told after a return', () => told > last);
});

test('while Redis is gone everything rejects within its time, and works again after', {
  skip,
}, async (context) => {
  const { server, one, two } = await pair(context);
  await one.load();
  await server.kill();
  const asked = performance.now();
  const all = [
    one.load(),
    one.offer(http),
    one.withdraw(http),
    one.find('t'),
    one.offered(),
    one.withLease('order', async () => true),
  ];
  for (const { status } of await Promise.allSettled(all)) assert.equal(status, 'rejected');
  assert.ok(performance.now() - asked < 4500);
  await server.restart();
  await one.offer(http);
  assert.equal(await two.find('tok_en-1'), 'tok_en-1.thumb');
});

test('entries that are damaged are left out', { skip }, async (context) => {
  const { server, one } = await pair(context);
  await under(one, 'order', async (lease) => await one.saveCertificate(certificate, lease));
  for (const [field, text] of [
    ['x', '{'],
    ['y', '[]'],
    ['z', 'null'],
    ['w', '{"main":1,"sans":[],"cert":"","key":""}'],
  ] as const)
    await server.cli('HSET', 'portcullis:{acme:le}:certificates', field, text);
  await server.cli('SET', 'portcullis:{acme:le}:account', '7');
  await server.cli('ZADD', 'portcullis:{acme:le}:challenges', '9999999999999', '{"kind":"dns-01"}');
  const state = await one.load();
  assert.deepEqual(state, { account: null, certificates: [certificate], attempts: [] });
  assert.deepEqual(await one.offered(), []);
});

test('an empty Redis takes over what there was, once, and never after', { skip }, async (context) => {
  const server = await startRedis(context);
  const file: ResolverState = { account, certificates: [certificate], attempts: [] };
  let reads = 0;
  const importState = async (): Promise<ResolverState> => {
    reads += 1;
    return file;
  };
  const open = async (): Promise<AcmeStorage> =>
    await storageOn(context, connect(context, redisSettings(server.port)).connection, { importState });
  const [one, two] = (await Promise.all([open(), open()])) as [AcmeStorage, AcmeStorage];
  for (const state of await Promise.all([one.load(), two.load()])) assert.deepEqual(state, file);
  await under(
    one,
    'order',
    async (lease) => await one.saveCertificate({ ...certificate, cert: 'NEW' }, lease),
  );
  const before = reads;
  const three = await open();
  assert.equal((await three.load()).certificates[0]?.cert, 'NEW');
  assert.equal(reads, before);
});

test('the resolver’s `acme.json` is taken over; one that cannot be read stops everything', {
  skip,
}, async (context) => {
  const server = await startRedis(context);
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-take-over-'));
  context.after(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'acme.json');
  const open = async (): Promise<AcmeStorage> =>
    await storageOn(context, connect(context, redisSettings(server.port)).connection, { file });
  writeFileSync(file, '{"le": "canary');
  const storage = await open();
  await assert.rejects(storage.load(), (error: Error) => {
    assert.match(error.message, /acme\.json` cannot be taken over into Redis: it is no valid JSON/);
    assert.doesNotMatch(error.message, /canary/);
    return true;
  });
  const huge = { ...certificate, main: 'huge.example', cert: 'x'.repeat(70_000) };
  let written = parseFile('');
  for (const each of [certificate, huge]) written = withCertificate(written, 'le', each);
  writeFileSync(file, printFile(withCertificate(written, 'other', { ...certificate, main: 'c.example' })));
  assert.deepEqual((await storage.load()).certificates, [certificate]);
  rmSync(file);
  assert.deepEqual((await (await open()).load()).certificates, [certificate]);
});

test('after a failover certificates are there and the lease works', { skip }, async (context) => {
  const { nodes, sentinels } = await startSentinels(context);
  const { connection } = connect(
    context,
    redisSettings(0, {
      endpoints: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      sentinel: { masterName: 'main', username: null, password: null },
    }),
  );
  const storage = await storageOn(context, connection);
  await under(storage, 'order', async (lease) => await storage.saveCertificate(certificate, lease));
  const [master, replica] = nodes as [RedisServer, RedisServer];
  await until('it is copied', async () => (await replica.cli('DBSIZE')) === '2');
  await master.kill();
  await until('the new master answers', async () => {
    try {
      return (await storage.withLease('order', async () => true)) === true;
    } catch {
      return false;
    }
  });
  assert.deepEqual((await storage.load()).certificates, [certificate]);
});

test('all of it works on a cluster', { skip }, async (context) => {
  const nodes = await startCluster(context);
  const endpoints = nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  const open = async (): Promise<AcmeStorage> => {
    const { connection } = connect(context, redisSettings(0, { endpoints, cluster: true }));
    return await storageOn(context, connection);
  };
  const [one, two] = [await open(), await open()];
  let told = 0;
  two.onChange(() => {
    told += 1;
  });
  await until('it listens', () => told > 0);
  const before = told;
  await one.offer(http);
  assert.equal(await two.find('tok_en-1'), 'tok_en-1.thumb');
  await until('told', () => told > before, 1000);
  await under(one, 'order', async (lease) => {
    assert.equal(await two.withLease('order', async () => true), null);
    await one.saveAccount(account, lease);
    await one.saveCertificate(certificate, lease);
  });
  assert.deepEqual(await two.load(), { account, certificates: [certificate], attempts: [] });
});
