// Workers as a user of their own: who that is, whether this process may make them so, and whether that user can do what
// a worker has to and nothing of what it must not. Whatever is in the way is told before anything listens.

import { spawnSync } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResolvedStatic } from '../config/static/resolve.ts';
import type { WorkerIdentity } from '../config/static/resolve-worker-user.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import { giveFilesTo, openTarget } from '../observability/line-target.ts';
import type { WorkerUser } from './fork.ts';
import { listenProblem } from './port-check.ts';
import type { ProbeAnswer, ProbeQuestion } from './worker-probe.ts';

/** Milliseconds for the probe, a process of its own. */
const probeTimeout = 20_000;
/** Bytes of the file of users that are read. */
const maxUsers = 16 * 1024 * 1024;
/** Bits of a capability set: `man 7 capabilities`. */
const setgid = 6n;
const setuid = 7n;

export type FoundUser =
  | { readonly ok: true; readonly user: WorkerUser }
  | { readonly ok: false; readonly problem: string };

/** Before the first log file is opened: what this process makes from then on belongs to that user. */
export function takeWorkerUser(identity: WorkerIdentity): FoundUser {
  const name = identity.name;
  const wanted = `workers cannot be the user ${name}`;
  if (process.platform !== 'linux') return no(`${wanted}: \`workerUser\` needs Linux`);
  if (process.geteuid?.() !== 0)
    return no(`${wanted}: the primary is not root (user ${process.geteuid?.()}): leave \`workerUser\` out`);
  if (!mayChangeUsers())
    return no(`${wanted}: the primary lacks CAP_SETUID and CAP_SETGID (in a container: \`cap_add\`)`);
  const user = 'uid' in identity ? identity : lookUp(name);
  if (user === null) return no(`${wanted}: /etc/passwd has no such user; give \`uid:gid\` instead`);
  if (user.uid === 0 || user.gid === 0) return no(`${wanted}: that is root or its group`);
  giveFilesTo(user);
  return { ok: true, user };
}

/** The access log is made here, and again whenever logs are opened anew, so that workers need no right to its folder. */
export function makeAccessLog({ worker: { accessLog } }: ResolvedStatic): void {
  if (accessLog !== null && accessLog.filePath !== null) closeSync(openTarget(accessLog.filePath, 0o664));
}

/** What that user cannot do but must, or can but must not; null when all is well. */
export function workerUserProblem(
  user: WorkerUser,
  config: StaticConfig,
  resolved: ResolvedStatic,
): string | null {
  const { uid, gid, name } = user;
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [probe], {
    uid,
    gid,
    input: JSON.stringify(question(config, resolved)),
    // No secret of the environment; and Node's warnings are none of the answer.
    env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1', NODE_DISABLE_COMPILE_CACHE: '1' },
    encoding: 'utf8',
    timeout: probeTimeout,
  });
  if (status !== 0) {
    const reason = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
    return `the user ${name} cannot run the gateway: ${reason.slice(0, 300)} (may it read ${process.execPath} and ${dirname(probe)}?)`;
  }
  const { problem } = JSON.parse(stdout) as ProbeAnswer;
  return problem === null ? null : say(problem, user, resolved);
}

const probe = fileURLToPath(new URL('./worker-probe.ts', import.meta.url));

function question(config: StaticConfig, { entryPoints, worker, resolvers }: ResolvedStatic): ProbeQuestion {
  const { log, accessLog, plugins } = worker;
  const files = [log.filePath, accessLog?.filePath ?? null].filter((path) => path !== null);
  const rotated = accessLog !== null && accessLog.filePath !== null && accessLog.rotation != null;
  const engine = config.providers.docker?.endpoint ?? '';
  const sockets = engine.startsWith('unix://') ? [engine.slice('unix://'.length)] : [];
  return {
    listen: entryPoints
      .filter(({ port }) => port !== 0)
      .map(({ name, host, port }) => ({ name, host, port })),
    read: plugins.map(({ module }) => module),
    append: files,
    change: [tmpdir(), ...(rotated ? [dirname(resolve(accessLog.filePath ?? ''))] : [])],
    forbidden: [...new Set([...resolvers.map(({ storage }) => resolve(storage)), ...sockets])],
  };
}

function say(
  { kind, what, code }: NonNullable<ProbeAnswer['problem']>,
  { name, uid, gid }: WorkerUser,
  { entryPoints }: ResolvedStatic,
): string {
  const point = entryPoints.find((one) => one.name === what);
  switch (kind) {
    case 'listen':
      return `${point === undefined ? what : listenProblem(point, `the user ${name} may not`)}: \`sysctl -w net.ipv4.ip_unprivileged_port_start=${point?.port ?? 0}\` lets it, or \`setcap cap_net_bind_service=+ep ${process.execPath}\``;
    case 'read':
      return `the user ${name} cannot read the plugin ${what} (${code}): workers load it`;
    case 'append':
      return `the user ${name} cannot write to the log ${what} (${code}): \`chown ${uid}:${gid} ${what}\``;
    case 'change':
      return `the user ${name} cannot make files in ${what} (${code}): workers rotate logs and buffer bodies there`;
    case 'forbidden':
      return `the user ${name} can reach ${what}, or its folder: what \`workerUser\` is to keep from workers; change owner or mode`;
  }
}

function mayChangeUsers(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const bits = BigInt(`0x${effective ?? '0'}`);
  return ((bits >> setuid) & 1n) === 1n && ((bits >> setgid) & 1n) === 1n;
}

/** The file alone: what a directory service knows can be given as numbers. */
function lookUp(name: string): WorkerUser | null {
  const text = readFileSync('/etc/passwd', 'utf8').slice(0, maxUsers);
  const [, , uid, gid] =
    text
      .split('\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { name, uid: Number(uid), gid: Number(gid) };
}

function no(problem: string): FoundUser {
  return { ok: false, problem };
}
