// A gateway's request path in this process, with entry points that speak TLS: what a worker runs, without one.

import { createGateway } from '../../src/proxy/create-gateway.ts';
import type { EntryPointSpec } from '../../src/model/entry-point.ts';
import type { MiddlewareSpec, Snapshot } from '../../src/model/snapshot.ts';
import {
  defaultTlsOptions,
  type CertificateSpec,
  type ListenerSpec,
  type TlsOptionsSpec,
  type TlsSpec,
} from '../../src/model/tls.ts';
import type { WorkerChallenge } from '../../src/model/acme.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { readCertificate } from '../../src/tls/certificate.ts';
import { linesLog, router, service, settings } from '../unit/primary/support.ts';
import type { Issued } from './pki.ts';
import { entryPoint, transport } from './specs.ts';

export interface BenchOptions {
  readonly side?: ListenerSpec['side'];
  readonly engine?: 'uws' | 'node';
  readonly certificates?: readonly Issued[];
  readonly defaultCertificate?: Issued;
  readonly options?: readonly TlsOptionsSpec[];
  /** Host → name of its options. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Path prefix → URL of its server. */
  readonly routes: Readonly<Record<string, string>>;
  /** Of every route. */
  readonly middlewares?: readonly MiddlewareSpec[];
  readonly transport?: Partial<EntryPointSpec['transport']>;
  readonly http2?: EntryPointSpec['http2'];
  readonly trustedIPs?: readonly string[];
  /** 0 takes a free one; the same for two benches is two workers of one gateway. */
  readonly port?: number;
  readonly bootSecret?: string;
}

export interface TlsBench {
  readonly port: number;
  readonly logs: readonly string[];
  /** Another Snapshot, of the same routes. */
  apply(changes: Partial<Pick<BenchOptions, 'certificates' | 'options' | 'hosts'>>): void;
  setChallenges(challenges: readonly WorkerChallenge[]): void;
  drain(): Promise<void>;
  close(): Promise<void>;
}

export async function openTlsBench(first: BenchOptions): Promise<TlsBench> {
  const logs: string[] = [];
  const engine = first.engine ?? 'node';
  const base = entryPoint('web', { port: first.port ?? 0, tls: { options: null, certResolver: null } });
  const web: EntryPointSpec = {
    ...base,
    host: '127.0.0.1',
    engine,
    transport: { ...base.transport, ...first.transport },
    forwardedHeaders: { ...base.forwardedHeaders, trustedIPs: first.trustedIPs ?? [] },
    ...(first.http2 === undefined ? {} : { http2: first.http2 }),
  };
  const gateway = createGateway(
    { ...settings, entryPoints: [web], bootSecret: first.bootSecret ?? '5a'.repeat(32) },
    {
      askPrimary: () => Promise.reject(new Error('nobody is there')),
      log: linesLog(logs),
      state: new MemoryState(),
    },
  );
  let now = first;
  let version = 0;
  const apply = (changes: Partial<BenchOptions>): void => {
    now = { ...now, ...changes };
    version += 1;
    gateway.apply(snapshotOf(version, now, engine), []);
  };
  apply({});
  const ports = await gateway.listen();
  return {
    port: ports['web'] as number,
    logs,
    apply,
    setChallenges: (challenges) => gateway.setChallenges(challenges),
    drain: () => gateway.drain(2_000),
    close: () => gateway.close(),
  };
}

export function specOf({ cert, key }: Issued): CertificateSpec {
  const read = readCertificate(cert, key);
  if (!read.ok) throw new Error(read.problem);
  return read.certificate;
}

/** Options with the defaults. */
export function tlsOptions(name: string, changes: Partial<TlsOptionsSpec> = {}): TlsOptionsSpec {
  return { ...defaultTlsOptions, name, ...changes };
}

export function middleware(kind: string, options: unknown): MiddlewareSpec {
  return { name: `${kind.toLowerCase()}@file`, provider: 'file', kind, options, errors: [] };
}

function snapshotOf(version: number, bench: BenchOptions, engine: 'uws' | 'node'): Snapshot {
  const side = bench.side ?? 'tls';
  const middlewares = bench.middlewares ?? [];
  const tls: TlsSpec = {
    certificates: (bench.certificates ?? []).map(specOf),
    defaultCertificate: bench.defaultCertificate === undefined ? null : specOf(bench.defaultCertificate),
    options: withDefault(bench.options ?? []),
    listeners: [
      {
        entryPoint: 'web',
        engine,
        side,
        hosts: Object.entries(bench.hosts ?? {}).map(([host, options]) => ({ host, options })),
      },
    ],
  };
  const sides = side === 'both' ? [false, true] : [side === 'tls'];
  const names = Object.keys(bench.routes);
  const routers = sides.flatMap((isTls) =>
    names.map((name) =>
      router(`${name}-${isTls ? 'tls' : 'plain'}@file`, {
        rule: `PathPrefix(\`/${name}\`)`,
        service: `${name}@file`,
        middlewares: middlewares.map((one) => one.name),
        tls: isTls ? { options: null, certResolver: null } : null,
      }),
    ),
  );
  const services = names.map((name) => service(`${name}@file`, [bench.routes[name] as string]));
  const content = { routers, middlewares, services, transports: [transport], tls };
  return { version, hash: String(version), ...content };
}

function withDefault(options: readonly TlsOptionsSpec[]): readonly TlsOptionsSpec[] {
  return options.some(({ name }) => name === 'default') ? options : [defaultTlsOptions, ...options];
}
