// forwardAuth with an auth server that wants to see a certificate: its files are the primary's to read, and to follow.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type Authority, type Issued, makeAuthority } from '../support/pki.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

describe('an auth server that demands a certificate of the gateway', () => {
  let authority: Authority;
  let auth: Server;
  let address = '';
  let origin: Origin;
  let gateway: TestGateway;
  let folder = '';
  /** Common names of the certificates that were shown, the latest last. */
  const shown: string[] = [];

  const at = (name: string): string => join(folder, name);
  const putFile = (name: string, text: string): void => writeFileSync(at(name), text, { mode: 0o600 });
  const put = (name: string, { cert, key }: Issued): void => {
    putFile(`${name}.crt`, cert);
    putFile(`${name}.key`, key);
  };

  const forwardAuth = (pair: string): object => ({
    forwardAuth: { address, tls: { ca: at('ca.crt'), cert: at(`${pair}.crt`), key: at(`${pair}.key`) } },
  });

  const get = async (target: string): Promise<number> =>
    (await ask(gateway.port('web'), { host: 'a.test', target })).status;

  const problems = async (): Promise<readonly { message: string; where?: object; code: string }[]> =>
    (await gateway.status()).diagnostics.filter(({ code }) => code === 'config.named_file');

  before(async () => {
    authority = makeAuthority();
    // The runner's own folder for temporary files is closed to other users.
    folder = mkdtempSync('/tmp/portcullis-auth-tls-');
    chmodSync(folder, 0o755);
    putFile('ca.crt', authority.root);
    put('mine', authority.issue(['gateway-one'], { client: true, subject: '/CN=gateway one' }));
    const server = authority.issue(['127.0.0.1']);
    const options = { ...server, ca: authority.root, requestCert: true, rejectUnauthorized: true };
    auth = createServer(options, (request, response) => {
      shown.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      response.end();
    });
    auth.listen(0, '127.0.0.1');
    await once(auth, 'listening');
    address = `https://127.0.0.1:${(auth.address() as AddressInfo).port}/auth`;
    origin = await startOrigin();
    const router = { service: 's', entryPoints: ['web'] };
    gateway = await startGateway({
      workers: 2,
      env: { TMPDIR: '/tmp' },
      static: { entryPoints: { web: {} }, ...(isRoot ? { workerUser: '41234:41235' } : {}) },
      dynamic: {
        http: {
          routers: {
            open: { ...router, rule: 'Path(`/open`)' },
            mine: { ...router, rule: 'Path(`/mine`)', middlewares: ['mine'] },
            late: { ...router, rule: 'Path(`/late`)', middlewares: ['late'] },
            alone: { ...router, rule: 'Path(`/alone`)', middlewares: ['alone'] },
          },
          middlewares: {
            mine: forwardAuth('mine'),
            late: forwardAuth('late'),
            alone: { forwardAuth: { address, tls: { ca: at('ca.crt') } } },
          },
          services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
        },
      },
    });
  });

  after(async () => {
    await gateway?.stop();
    await origin?.stop();
    auth?.closeAllConnections();
    auth?.close();
    authority?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is shown one, though workers may not read its key', async () => {
    assert.equal(await get('/mine'), 200);
    assert.equal(shown.at(-1), 'gateway one');
  });

  test('answers nobody without one, and nothing passes', async () => {
    const before = shown.length;
    assert.equal(await get('/alone'), 500);
    assert.equal(shown.length, before);
  });

  test('whose files are missing: 503 and a diagnostic with its place, until they are there', async () => {
    assert.equal(await get('/late'), 503);
    assert.equal(await get('/open'), 200);
    const [told, ...others] = await problems();
    assert.deepEqual(others, []);
    assert.match(told?.message ?? '', /middleware late: the file ".*late\.crt" doesn't exist/);
    assert.match(JSON.stringify(told?.where), /dynamic\.yml.*"line":\d/);

    put('late', authority.issue(['gateway-late'], { client: true }));
    await eventually('it works', async () => (await get('/late')) === 200);
    assert.equal(shown.at(-1), 'gateway-late');
    assert.deepEqual(await problems(), []);
  });

  test('its files are replaced under traffic, one after the other, and no request notices', async () => {
    const next = authority.issue(['gateway-two'], { client: true });
    const answers = new Map<number, number>();
    let isOn = true;
    const traffic = Array.from({ length: 4 }, async () => {
      while (isOn) {
        const status = await get('/mine');
        answers.set(status, (answers.get(status) ?? 0) + 1);
      }
    });
    try {
      putFile('mine.crt', next.cert);
      await eventually('half of it is told', async () => {
        const [told] = await problems();
        return /the key is not the one of the certificate; the last good content/.test(told?.message ?? '');
      });
      assert.equal(shown.at(-1), 'gateway one');
      putFile('mine.key', next.key);
      await eventually('all is well', async () => (await problems()).length === 0);
      await eventually('every worker shows the new one', () => {
        const last = shown.slice(-20);
        return last.length === 20 && last.every((name) => name === 'gateway-two');
      });
    } finally {
      isOn = false;
      await Promise.all(traffic);
    }
    assert.deepEqual([...answers.keys()], [200]);
  });

  test('a file that breaks or goes away later keeps its last good content', async () => {
    rmSync(at('mine.key'));
    await eventually('it is told', async () =>
      /last good content/.test((await problems())[0]?.message ?? ''),
    );
    assert.equal(await get('/mine'), 200);
    putFile('ca.crt', 'no authority at all');
    await eventually('all are told', async () => (await problems()).length === 3);
    for (const target of ['/mine', '/late']) assert.equal(await get(target), 200);
    putFile('ca.crt', authority.root);
    put('mine', authority.issue(['gateway-three'], { client: true }));
    await eventually('all is well', async () => (await problems()).length === 0);
    await eventually('the new one is shown', async () => {
      assert.equal(await get('/mine'), 200);
      return shown.at(-1) === 'gateway-three';
    });
  });

  test('nothing of what the files hold is in the API or in logs', async () => {
    for (const path of ['/api/http/middlewares/mine@file', '/api/rawdata', '/api/portcullis/status']) {
      const body = await (await fetch(`${gateway.url('traefik')}${path}`)).text();
      assert.doesNotMatch(body, /BEGIN|PRIVATE/, path);
    }
    assert.doesNotMatch(gateway.logs(), /BEGIN|PRIVATE/);
  });
});
