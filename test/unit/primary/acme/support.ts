// ACME with quick times, a log that is kept, and servers that answer challenges.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import type { CertificateStatus, ResolverSettings, WorkerChallenge } from '../../../../src/model/acme.ts';
import type { CertificateSpec } from '../../../../src/model/tls.ts';
import type { Log, LogFields } from '../../../../src/observability/log.ts';
import { type Acme, type AcmeOptions, createAcme } from '../../../../src/primary/acme/acme.ts';
import { openFileStorage } from '../../../../src/primary/acme/storage-file.ts';
import type { Times } from '../../../../src/primary/acme/times.ts';
import { eventually } from '../../../support/gateway.ts';

export const quickTimes: Partial<Times> = {
  check: 50,
  backoffFirst: 200,
  lease: 50,
  settle: 20,
  poll: 10,
  close: 500,
};

/** Without a challenge, unless given. */
export function resolverSettings(changes: Partial<ResolverSettings> = {}): ResolverSettings {
  return {
    name: 'main',
    email: 'ops@example.com',
    caServer: 'http://127.0.0.1:1/dir',
    storage: 'acme.json',
    keyType: 'EC256',
    eab: null,
    preferredChain: null,
    profile: null,
    emailAddresses: [],
    disableCommonName: false,
    clientTimeout: 5_000,
    clientResponseHeaderTimeout: 5_000,
    certificateTimeout: 5_000,
    caCertificates: [],
    caSystemCertPool: false,
    caServerName: null,
    httpChallenge: null,
    tlsChallenge: null,
    dnsChallenge: null,
    ...changes,
  };
}

export const overHttp = { httpChallenge: { entryPoint: 'web', delay: 0 } } as const;
export const overTls = { tlsChallenge: { delay: 0 } } as const;

export interface TestAcme extends Acme {
  readonly certificates: () => readonly CertificateSpec[];
  readonly challenges: () => readonly WorkerChallenge[];
  /** Every line, level and all, as JSON. */
  readonly logs: readonly string[];
  /** Asks for names of the resolver `main`. */
  wantNames(...sets: readonly (readonly string[])[]): void;
  /** Of the certificate with these names. */
  statusOf(...names: readonly string[]): CertificateStatus | undefined;
  untilState(
    names: readonly string[],
    state: CertificateStatus['state'],
    ms?: number,
  ): Promise<CertificateStatus>;
  untilError(names: readonly string[], pattern: RegExp, ms?: number): Promise<CertificateStatus>;
}

export async function startAcme(
  t: Pick<TestContext, 'after'>,
  settings: ResolverSettings | readonly ResolverSettings[],
  options: Partial<AcmeOptions> = {},
): Promise<TestAcme> {
  let certificates: readonly CertificateSpec[] = [];
  let challenges: readonly WorkerChallenge[] = [];
  const { log, lines } = keptLog();
  const acme = createAcme({
    resolvers: Array.isArray(settings) ? settings : [settings as ResolverSettings],
    openStorage: ({ storage, name }) => openFileStorage(storage, name),
    log,
    onCertificates: (all) => (certificates = all),
    onChallenges: (all) => (challenges = all),
    isCovered: () => false,
    ...options,
    times: { ...quickTimes, ...options.times },
  });
  t.after(() => acme.close());
  await acme.start();
  const statusOf = (...names: readonly string[]): CertificateStatus | undefined =>
    acme.status().find((status) => [...status.names].sort().join() === [...names].sort().join());
  const until = async (
    what: string,
    names: readonly string[],
    check: (one: CertificateStatus) => boolean,
    ms: number,
  ) => {
    const matches = (): boolean => {
      const status = statusOf(...names);
      return status !== undefined && check(status);
    };
    await eventually(what, matches, ms).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(acme.status())}\n${lines.join('\n')}`);
    });
    return statusOf(...names) as CertificateStatus;
  };
  return {
    start: () => acme.start(),
    want: (requests) => acme.want(requests),
    challengeAnswer: (token) => acme.challengeAnswer(token),
    status: () => acme.status(),
    close: () => acme.close(),
    certificates: () => certificates,
    challenges: () => challenges,
    logs: lines,
    wantNames: (...sets) => acme.want(sets.map((names) => ({ resolver: 'main', names, by: ['r@test'] }))),
    statusOf,
    untilState: (names, state, ms = 15_000) => until(state, names, (one) => one.state === state, ms),
    untilError: (names, pattern, ms = 15_000) =>
      until(String(pattern), names, (one) => pattern.test(one.lastError ?? ''), ms),
  };
}

export function keptLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const method =
    (level: string) =>
    (first: string | LogFields, message?: string): void => {
      lines.push(JSON.stringify(typeof first === 'string' ? [level, first] : [level, message, first]));
    };
  const log: Log = {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    level: 'debug',
    child: () => log,
    reopen: () => undefined,
    flush: async () => undefined,
    flushSync: () => undefined,
  };
  return { log, lines };
}

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that goes with the process: what a test has started may still write when it ends. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-acme-'));
  folders.push(folder);
  return folder;
}

/** Answers http-01 as workers do: it asks the primary. Port, and the paths that were asked for. */
export async function answerHttp(
  t: Pick<TestContext, 'after'>,
  acmes: () => readonly Acme[],
): Promise<{ readonly port: number; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createHttpServer((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`);
    const token = request.url?.split('/').at(-1) ?? '';
    void Promise.all(acmes().map((acme) => acme.challengeAnswer(token))).then((answers) => {
      const answer = answers.find((one) => one !== null);
      response.statusCode = answer === undefined ? 404 : 200;
      response.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return { port: (server.address() as AddressInfo).port, asked };
}

/** Answers tls-alpn-01 from the challenges that workers have been told. */
export async function answerTls(
  t: Pick<TestContext, 'after'>,
  challenges: () => readonly WorkerChallenge[],
): Promise<number> {
  const server = createTlsServer({
    ALPNProtocols: ['acme-tls/1'],
    SNICallback: (name, done) => {
      const found = challenges().find((one) => one.kind === 'tls-alpn-01' && one.domain === name);
      if (found?.kind !== 'tls-alpn-01') return done(new Error('no challenge'));
      done(null, createSecureContext({ cert: found.cert, key: found.key }));
    },
  });
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => socket.on('error', () => undefined).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}
