// An authority for tests: Debian's pebble on ports of the operating system.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePorts } from './gateway.ts';
import { makeAuthority } from './pki.ts';

export interface PebbleOptions {
  /** Where http-01 is asked; of every name. */
  readonly httpPort?: number;
  /** Where tls-alpn-01 is asked. */
  readonly tlsPort?: number;
  /** `host:port` of the server that knows all names. */
  readonly dnsServer: string;
  /** Seconds a certificate is valid; five years unless said. */
  readonly lifetime?: number;
  /** Percent of nonces that are refused; 15 unless said. */
  readonly badNonces?: number;
  /** Percent of valid authorisations that are used again; 50 unless said. */
  readonly reusedAuthorizations?: number;
  /** Key identifiers with their keys, base64url: accounts need one. */
  readonly externalAccounts?: Readonly<Record<string, string>>;
  readonly blockedDomains?: readonly string[];
}

export interface Pebble {
  /** `caServer`. */
  readonly directory: string;
  readonly port: number;
  /** PEM of the root its own HTTPS certificate comes from: `caCertificates`. */
  readonly root: string;
  /** A file with `root`. */
  readonly rootFile: string;
  /** PEM of the root that the certificates it gives come from; another one at every start. */
  issuingRoot(): Promise<string>;
  output(): string;
  /** SIGSTOP and SIGCONT: connections are taken, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Ends it and starts it anew in its place: it has forgotten accounts, orders and its issuing key. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Why tests that need it are skipped; false: they need not be. */
export const missingPebble: string | false =
  (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',').includes('pebble') && 'pebble is not installed';

/** Rejects with its output when it does not start. */
export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launch(options);
    } catch (error) {
      // Between being found free and being used a port may be taken by another test.
      if (attempt >= 3) throw error;
    }
  }
}

async function launch(options: PebbleOptions): Promise<Pebble> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-pebble-'));
  const authority = makeAuthority('Pebble HTTPS');
  const { cert, key } = authority.issue(['localhost', '127.0.0.1']);
  authority.close();
  const at = (name: string): string => join(folder, name);
  const [port, management] = (await freePorts(2)) as [number, number];
  writeFileSync(at('cert.pem'), cert);
  writeFileSync(at('key.pem'), key, { mode: 0o600 });
  writeFileSync(at('root.pem'), authority.root);
  writeFileSync(at('config.json'), JSON.stringify({ pebble: settings(options, { at, port, management }) }));
  const directory = `https://127.0.0.1:${port}/dir`;
  const isUp = async (): Promise<boolean> =>
    (await fetchText(directory, authority.root).catch(() => null)) !== null;
  let running = await run(options, at('config.json'), isUp).catch((error: Error) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  return {
    directory,
    port,
    root: authority.root,
    rootFile: at('root.pem'),
    issuingRoot: () => fetchText(`https://127.0.0.1:${management}/roots/0`, authority.root),
    output: () => running.output(),
    pause: () => void running.child.kill('SIGSTOP'),
    resume: () => void running.child.kill('SIGCONT'),
    async restart() {
      await running.end();
      running = await run(options, at('config.json'), isUp);
    },
    async stop() {
      await running.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface RunningPebble {
  readonly child: ChildProcess;
  output(): string;
  end(): Promise<void>;
}

async function run(
  { dnsServer, badNonces = 15, reusedAuthorizations = 50 }: PebbleOptions,
  config: string,
  isUp: () => Promise<boolean>,
): Promise<RunningPebble> {
  const child = spawn('pebble', ['-config', config, '-dnsserver', dnsServer], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PEBBLE_VA_NOSLEEP: '1',
      PEBBLE_WFE_NONCEREJECT: String(badNonces),
      PEBBLE_AUTHZREUSE: String(reusedAuthorizations),
    },
  });
  let output = '';
  const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-100_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', (error) => {
      output += error.message;
      resolve();
    });
  });
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  try {
    await eventually('pebble to answer', async () => {
      if (child.exitCode !== null || child.pid === undefined) throw new Error('pebble has ended');
      return isUp();
    });
  } catch (error) {
    await end();
    throw new Error(`${(error as Error).message}:\n${output}`, { cause: error });
  }
  return { child, output: () => output, end };
}

interface Place {
  readonly at: (name: string) => string;
  readonly port: number;
  readonly management: number;
}

function settings(options: PebbleOptions, { at, port, management }: Place): object {
  const { httpPort = 9, tlsPort = 9, lifetime, externalAccounts, blockedDomains = [] } = options;
  return {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: at('cert.pem'),
    privateKey: at('key.pem'),
    httpPort,
    tlsPort,
    ocspResponderURL: '',
    externalAccountBindingRequired: externalAccounts !== undefined,
    externalAccountMACKeys: externalAccounts ?? {},
    domainBlocklist: blockedDomains,
    ...(lifetime === undefined ? {} : { certificateValidityPeriod: lifetime }),
  };
}

function fetchText(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ca, agent: false, timeout: 5000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}
