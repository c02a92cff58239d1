// ACME against pebble: all challenges, renewal, several nodes, and what goes wrong on the way.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ResolverSettings, WorkerChallenge } from '../../src/model/acme.ts';
import { type DnsServer, startDnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/gateway.ts';
import { missingPebble, type Pebble, type PebbleOptions, startPebble } from '../support/pebble.ts';
import {
  answerHttp,
  answerTls,
  overHttp,
  overTls,
  resolverSettings,
  startAcme,
  type TestAcme,
  testFolder,
} from '../unit/primary/acme/support.ts';

const options = { skip: missingPebble, timeout: 90_000 };

interface Stage {
  readonly pebble: Pebble;
  readonly dns: DnsServer;
  readonly folder: string;
  readonly asked: readonly string[];
  /** Of a resolver `main` over http-01. */
  settings(changes?: Partial<ResolverSettings>): ResolverSettings;
  start(changes?: Partial<ResolverSettings>, more?: Parameters<typeof startAcme>[2]): Promise<TestAcme>;
}

async function setStage(t: TestContext, pebbleOptions: Partial<PebbleOptions> = {}): Promise<Stage> {
  const acmes: TestAcme[] = [];
  const dns = await startDnsServer();
  const { port: httpPort, asked } = await answerHttp(t, () => acmes);
  const challenges = (): WorkerChallenge[] => acmes.flatMap((acme) => acme.challenges());
  const tlsPort = await answerTls(t, challenges);
  const pebble = await startPebble({ httpPort, tlsPort, dnsServer: dns.address, ...pebbleOptions });
  const folder = testFolder();
  t.after(async () => {
    await pebble.stop();
    await dns.close();
  });
  const settings = (changes: Partial<ResolverSettings> = {}): ResolverSettings =>
    resolverSettings({
      caServer: pebble.directory,
      caCertificates: [pebble.rootFile],
      storage: join(folder, 'acme.json'),
      ...overHttp,
      ...changes,
    });
  return {
    pebble,
    dns,
    folder,
    asked,
    settings,
    async start(changes = {}, more = {}) {
      const acme = await startAcme(t, settings(changes), more);
      acmes.push(acme);
      return acme;
    },
  };
}

interface StoredFile {
  readonly [resolver: string]: {
    readonly Account: { readonly Email: string; readonly Registration: { readonly uri: string } };
    readonly Certificates: readonly {
      readonly domain: { readonly main: string; readonly sans?: readonly string[] };
      readonly certificate: string;
      readonly key: string;
      readonly Store: string;
    }[];
  };
}

function stored(folder: string): StoredFile {
  return JSON.parse(readFileSync(join(folder, 'acme.json'), 'utf8')) as StoredFile;
}

test(
  'a certificate is obtained over http-01, handed out, and stored as Traefik stores it',
  options,
  async (t) => {
    const stage = await setStage(t);
    const acme = await stage.start();
    acme.wantNames(['A.example.com', 'b.example.com']);
    const status = await acme.untilState(['a.example.com', 'b.example.com'], 'valid');
    assert.equal(status.lastError, null);
    assert.equal(status.failures, 0);
    assert.ok((status.renewAt ?? 0) > Date.now());
    const [certificate] = acme.certificates();
    assert.deepEqual(certificate?.names, ['a.example.com', 'b.example.com']);
    const file = stored(stage.folder);
    const [entry] = file['main']?.Certificates ?? [];
    assert.deepEqual(entry?.domain, { main: 'a.example.com', sans: ['b.example.com'] });
    assert.equal(entry?.Store, 'default');
    const leaf = new X509Certificate(Buffer.from(entry?.certificate ?? '', 'base64').toString());
    assert.equal(leaf.fingerprint256.replaceAll(':', '').toLowerCase(), certificate?.fingerprint);
    assert.match(Buffer.from(entry?.key ?? '', 'base64').toString(), /PRIVATE KEY/);
    assert.equal(file['main']?.Account.Email, 'ops@example.com');
    assert.ok(stage.asked.some((one) => one.startsWith('a.example.com')));
    await eventually('challenges to be withdrawn', () => acme.challenges().length === 0);
    assert.doesNotMatch(acme.logs.join('\n'), /PRIVATE KEY/);
  },
);

test('a certificate is obtained over tls-alpn-01', options, async (t) => {
  const stage = await setStage(t);
  const acme = await stage.start({ httpChallenge: null, ...overTls });
  acme.wantNames(['tls.example.com']);
  await acme.untilState(['tls.example.com'], 'valid');
  assert.deepEqual(stage.asked, []);
});

const hookProgram = `#!/usr/bin/env node
const { writeFileSync, appendFileSync } = require('node:fs');
appendFileSync(process.env.HOOK_LOG, process.argv.slice(2).join(' ') + '\\n');
`;

/** A hook that writes what it is called with; the test plays its DNS provider. */
function makeHook(folder: string, program: string): { readonly path: string; calls(): string[] } {
  const path = join(folder, 'hook.cjs');
  writeFileSync(path, program);
  chmodSync(path, 0o700);
  const log = join(folder, 'hook.log');
  writeFileSync(log, '');
  return { path, calls: () => readFileSync(log, 'utf8').split('\n').filter(Boolean) };
}

test(
  'a wildcard is obtained over dns-01 by a hook, its record seen before the CA looks',
  options,
  async (t) => {
    const stage = await setStage(t);
    const hook = makeHook(stage.folder, hookProgram);
    const env = {
      ...process.env,
      EXEC_PATH: hook.path,
      HOOK_LOG: join(stage.folder, 'hook.log'),
      EXEC_POLLING_INTERVAL: '0',
      EXEC_SEQUENCE_INTERVAL: '0',
    };
    // The provider: it publishes what the hook has said a while ago.
    const timer = setInterval(() => {
      for (const [action, fqdn = '', value = ''] of hook.calls().map((call) => call.split(' '))) {
        const name = fqdn.replace(/\.$/, '');
        if (action === 'present') stage.dns.txt.set(name, [value]);
      }
    }, 300);
    t.after(() => clearInterval(timer));
    const dnsChallenge = {
      provider: 'exec',
      resolvers: [stage.dns.address],
      disableChecks: false,
      delayBeforeChecks: 0,
    };
    const acme = await stage.start({ httpChallenge: null, dnsChallenge }, { env });
    acme.wantNames(['example.com', '*.example.com'], ['deep.example.com']);
    await acme.untilState(['*.example.com', 'example.com'], 'valid', 40_000);
    const calls = hook.calls();
    assert.match(calls[0] ?? '', /^present _acme-challenge\.example\.com\. [\w-]{43}$/);
    assert.match(calls[1] ?? '', /^cleanup _acme-challenge\.example\.com\. [\w-]{43}$/);
    assert.equal(calls.length, 4);
    assert.equal(acme.statusOf('deep.example.com')?.state, 'valid');
    assert.equal(acme.certificates().length, 1, 'what the wildcard covers is not ordered');
  },
);

test('two nodes with one storage order once, and both have it', options, async (t) => {
  const stage = await setStage(t);
  const [one, two] = [await stage.start(), await stage.start()];
  for (const acme of [one, two]) acme.wantNames(['ha.example.com'], ['hb.example.com']);
  for (const acme of [one, two]) {
    await acme.untilState(['ha.example.com'], 'valid');
    await acme.untilState(['hb.example.com'], 'valid');
  }
  const fingerprints = (acme: TestAcme): string[] =>
    acme
      .certificates()
      .map(({ fingerprint }) => fingerprint)
      .sort();
  await eventually('the same certificates', () => fingerprints(one).join() === fingerprints(two).join());
  assert.equal(stage.pebble.output().match(/Issued certificate/g)?.length, 2);
  assert.equal(stored(stage.folder)['main']?.Certificates.length, 2);
});

test(
  'a certificate of seconds is renewed at two thirds of its life, the old one served until then',
  options,
  async (t) => {
    const stage = await setStage(t, { lifetime: 9 });
    const acme = await stage.start();
    acme.wantNames(['short.example.com']);
    await acme.untilState(['short.example.com'], 'valid');
    const first = acme.certificates()[0];
    let least = 1;
    await eventually(
      'another certificate',
      () => {
        least = Math.min(least, acme.certificates().length);
        return acme.certificates()[0]?.fingerprint !== first?.fingerprint;
      },
      20_000,
    );
    assert.equal(least, 1, 'there was always one');
    const second = acme.certificates()[0];
    const age = ((second?.notBefore ?? 0) - (first?.notBefore ?? 0)) / 9000;
    assert.ok(age > 0.55 && age < 1, `renewed at ${age} of its life`);
  },
);

test('a restart serves what is stored and orders nothing, also without the CA', options, async (t) => {
  const stage = await setStage(t);
  const before = await stage.start();
  before.wantNames(['kept.example.com']);
  await before.untilState(['kept.example.com'], 'valid');
  await before.close();
  stage.pebble.pause();
  t.after(() => stage.pebble.resume());
  const after = await stage.start();
  assert.equal(after.certificates().length, 1);
  after.wantNames(['kept.example.com'], ['new.example.com']);
  assert.equal(after.statusOf('kept.example.com')?.state, 'valid');
  assert.equal(after.statusOf('new.example.com')?.state, 'ordering');
  const started = performance.now();
  await after.close();
  assert.ok(performance.now() - started < 3000, 'it ends while the CA keeps silent');
});

test('an account the CA has forgotten is registered anew', options, async (t) => {
  const stage = await setStage(t);
  const acme = await stage.start();
  acme.wantNames(['first.example.com']);
  await acme.untilState(['first.example.com'], 'valid');
  const uri = (): string => stored(stage.folder)['main']?.Account.Registration.uri ?? '';
  const before = uri();
  await stage.pebble.restart();
  acme.wantNames(['first.example.com'], ['second.example.com']);
  await acme.untilState(['second.example.com'], 'valid');
  assert.notEqual(uri(), before);
  assert.equal(stored(stage.folder)['main']?.Certificates.length, 2);
});

test('an account of another authority is not shown to this one', options, async (t) => {
  const stage = await setStage(t);
  const acme = await stage.start();
  acme.wantNames(['x.example.com']);
  await acme.untilState(['x.example.com'], 'valid');
  await acme.close();
  const path = join(stage.folder, 'acme.json');
  const written = readFileSync(path, 'utf8').replaceAll(
    `127.0.0.1:${stage.pebble.port}/`,
    'acme.other.example/',
  );
  writeFileSync(path, written);
  const later = await stage.start();
  later.wantNames(['y.example.com']);
  await later.untilState(['y.example.com'], 'valid');
  assert.ok(
    stored(stage.folder)['main']?.Account.Registration.uri.includes(`127.0.0.1:${stage.pebble.port}/`),
  );
});

test(
  'external account binding: with the key it works, without it the reason is shown',
  options,
  async (t) => {
    const hmac = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';
    const stage = await setStage(t, { externalAccounts: { 'kid-1': hmac } });
    const without = await stage.start();
    without.wantNames(['eab.example.com']);
    await without.untilError(['eab.example.com'], /externalAccountRequired/);
    await without.close();
    const storage = join(stage.folder, 'other.json');
    const acme = await stage.start({ storage, eab: { kid: 'kid-1', hmac } });
    acme.wantNames(['eab.example.com']);
    await acme.untilState(['eab.example.com'], 'valid');
    assert.ok(![...acme.logs, ...without.logs].join('\n').includes(hmac));
  },
);

test(
  'a name the CA cannot validate gives the CA’s reason, and the next try waits longer each time',
  options,
  async (t) => {
    const stage = await setStage(t, { blockedDomains: ['blocked.example.com'] });
    stage.dns.missing.add('nowhere.example.com');
    const acme = await stage.start({}, { times: { backoffFirst: 300, jitter: 0 } });
    acme.wantNames(['nowhere.example.com'], ['blocked.example.com'], ['good.example.com']);
    await acme.untilState(['good.example.com'], 'valid');
    const failed = await acme.untilError(
      ['nowhere.example.com'],
      /could not validate nowhere\.example\.com by http-01: .+/,
    );
    assert.equal(failed.state, 'waiting');
    await acme.untilError(['blocked.example.com'], /rejectedIdentifier/);
    await eventually('a second failure', () => (acme.statusOf('nowhere.example.com')?.failures ?? 0) >= 2);
    const second = acme.statusOf('nowhere.example.com');
    assert.ok((second?.nextTry ?? 0) - Date.now() > 300, 'the wait has doubled');
    stage.dns.missing.clear();
    await acme.untilState(['nowhere.example.com'], 'valid', 30_000);
    assert.equal(acme.statusOf('nowhere.example.com')?.failures, 0);
  },
);

test('several resolvers share a file and keep out of each other’s part', options, async (t) => {
  const stage = await setStage(t);
  const resolvers = [
    stage.settings(),
    stage.settings({ name: 'second', keyType: 'RSA2048', httpChallenge: null, ...overTls, email: '' }),
  ];
  const acmes: TestAcme[] = [];
  const { port: httpPort } = await answerHttp(t, () => acmes);
  const tlsPort = await answerTls(t, () => acmes.flatMap((acme) => acme.challenges()));
  const pebble = await startPebble({ httpPort, tlsPort, dnsServer: stage.dns.address });
  t.after(() => pebble.stop());
  const acme = await startAcme(
    t,
    resolvers.map((one) => ({ ...one, caServer: pebble.directory, caCertificates: [pebble.root] })),
  );
  acmes.push(acme);
  const want = (resolver: string, name: string) => ({ resolver, names: [name], by: [] });
  acme.want([
    want('main', 'one.example.com'),
    want('second', 'two.example.com'),
    want('third', 'three.example.com'),
  ]);
  await acme.untilState(['one.example.com'], 'valid');
  await acme.untilState(['two.example.com'], 'valid');
  assert.match(acme.statusOf('three.example.com')?.lastError ?? '', /no certificates resolver `third`/);
  const file = stored(stage.folder);
  assert.deepEqual(Object.keys(file).sort(), ['main', 'second']);
  const key = Buffer.from(file['second']?.Certificates[0]?.key ?? '', 'base64').toString();
  assert.match(key, /RSA PRIVATE KEY/);
});
