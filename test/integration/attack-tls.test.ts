// Ways round TLS, tried on real gateways: hostile certificates on either side, and ports that change how they listen.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type Authority, type Issued, makeAuthority } from '../support/pki.ts';
import { tlsAsk } from '../support/tls-client.ts';

let folder: string;
let pki: Authority;
let origin: Origin;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-attack-tls-'));
  pki = makeAuthority();
  origin = await startOrigin();
});
after(async () => {
  await origin?.stop();
  pki?.close();
  rmSync(folder, { recursive: true, force: true });
});

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}

/** Signed by itself, with a key of openssl's kind. */
function selfSigned(name: string, ...kind: string[]): Issued {
  const out = ['-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', '30', '-subj', `/CN=${name}`];
  openssl('req', '-x509', ...kind, '-nodes', ...out, '-addext', `subjectAltName=DNS:${name}`);
  const read = (end: string): string => readFileSync(join(folder, `${name}.${end}`), 'utf8');
  return { cert: read('crt'), key: read('key') };
}

const ecOn = (curve: string): string[] => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`];

/** A leaf whose issuer, which the client sends along, has a key on a curve that Node has no short name for. */
function chainOfOddCurve(): Issued {
  const issuer = selfSigned('odd', ...ecOn('secp256k1'));
  const subject = ['-subj', '/CN=leaf', '-keyout', 'leaf.key', '-out', 'leaf.csr'];
  openssl('req', '-new', ...ecOn('P-256'), '-nodes', ...subject);
  const by = ['-CA', 'odd.crt', '-CAkey', 'odd.key', '-CAcreateserial'];
  openssl('x509', '-req', '-in', 'leaf.csr', ...by, '-out', 'leaf.crt', '-days', '30');
  const leaf = readFileSync(join(folder, 'leaf.crt'), 'utf8');
  return { cert: leaf + issuer.cert, key: readFileSync(join(folder, 'leaf.key'), 'utf8') };
}

function site(tls: object, options: object = {}): object {
  return {
    http: {
      routers: { all: { rule: 'PathPrefix(`/`)', entryPoints: ['web'], service: 'origin', tls: options } },
      services: { origin: { loadBalancer: { servers: [{ url: origin.url }] } } },
    },
    tls,
  };
}

const written = ({ cert, key }: Issued) => ({ certFile: cert, keyFile: key });

describe('certificates of clients', { timeout: 60_000 }, () => {
  let gateway: TestGateway;
  after(() => gateway?.stop());

  test('a chain with a key on an unnamed curve ends no worker, whoever sends it', async () => {
    const options = { default: { clientAuth: { clientAuthType: 'RequireAnyClientCert' } } };
    gateway = await startGateway({
      dynamic: site({ certificates: [written(pki.issue(['a.test']))], options }),
    });
    const pids = gateway.workerPids();
    const client = chainOfOddCurve();
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const got = await tlsAsk(gateway.port('web'), { servername: 'a.test', maxVersion, ...client });
      assert.equal(got.status, 200, `${maxVersion}: ${got.error}`);
    }
    assert.deepEqual(gateway.workerPids(), pids);
  });
});

describe('keys that not every engine takes', { timeout: 60_000 }, () => {
  const gateways: TestGateway[] = [];
  after(() => Promise.all(gateways.map((gateway) => gateway.stop())));

  const shown = async (gateway: TestGateway, servername: string): Promise<string> =>
    (await tlsAsk(gateway.port('web'), { servername })).names;

  test('what the uws engine would leave out is served by the node engine, and never the default one instead', async () => {
    const odd = {
      'ed448.test': selfSigned('ed448.test', '-newkey', 'ed448'),
      'pss.test': selfSigned('pss.test', '-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'),
      'explicit.test': selfSigned('explicit.test', ...ecOn('P-256'), '-pkeyopt', 'ec_param_enc:explicit'),
    };
    const plain = pki.issue(['a.test']);
    const gateway = await startGateway({
      static: { entryPoints: { web: { engine: 'auto' } } },
      dynamic: site({ certificates: [written(plain)] }),
    });
    gateways.push(gateway);
    assert.equal(await shown(gateway, 'a.test'), 'DNS:a.test');
    await gateway.writeDynamic(site({ certificates: [plain, ...Object.values(odd)].map(written) }));
    for (const name of Object.keys(odd)) {
      await eventually(`${name} is served`, async () => (await shown(gateway, name)) === `DNS:${name}`);
    }
    const { diagnostics } = await gateway.status();
    assert.match(JSON.stringify(diagnostics), /served by the node engine, which .* of the certificate for/);
  });

  test('on an engine asked for by name it is told which certificate cannot be used', async () => {
    const odd = selfSigned('ed448.test', '-newkey', 'ed448');
    const gateway = await startGateway({ engine: 'uws', dynamic: site({ certificates: [written(odd)] }) });
    gateways.push(gateway);
    const { diagnostics } = await gateway.status();
    const told = diagnostics.filter(({ code }) => code === 'config.engine');
    assert.equal(told.length, 1);
    assert.match(told[0]?.message ?? '', /entry point web cannot use the Ed448 key .* ed448\.test/);
  });

  test('what no client takes is left out with a reason: short RSA, DSA, curves of other trades, broken chains', async () => {
    const good = pki.issue(['a.test']);
    const useless = [
      selfSigned('short.test', '-newkey', 'rsa:1024'),
      selfSigned('coin.test', ...ecOn('secp256k1')),
      selfSigned('brain.test', ...ecOn('brainpoolP256r1')),
      { ...good, cert: `${good.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` },
    ];
    const gateway = await startGateway({ dynamic: site({ certificates: useless.map(written) }) });
    gateways.push(gateway);
    const told = (await gateway.status()).diagnostics.filter(({ code }) => code === 'config.certificate');
    const words = told.map(({ message }) => message).sort();
    assert.equal(words.length, 4);
    assert.match(words.join('\n'), /certificate 2 of the chain/);
    assert.match(words.join('\n'), /RSA needs 2048/);
    assert.match(words.join('\n'), /curve secp256k1/);
    assert.doesNotMatch(JSON.stringify(told), /BEGIN/);
  });
});
