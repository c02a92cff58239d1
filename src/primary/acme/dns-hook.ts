// The program that writes and removes TXT records: `EXEC_PATH`, called as lego calls it.

import { spawn } from 'node:child_process';
import { AcmeProblem, shortText } from './problem.ts';

export interface Hook {
  /** Rejects with `AcmeProblem` unless the program ends with 0 in time. */
  run(action: 'present' | 'cleanup', record: DnsRecord, signal: AbortSignal): Promise<void>;
  /** Milliseconds, the three. */
  readonly propagationTimeout: number;
  readonly pollingInterval: number;
  readonly sequenceInterval: number;
}

export interface DnsRecord {
  /** Without `*.`. */
  readonly domain: string;
  /** With a full stop at its end. */
  readonly fqdn: string;
  readonly value: string;
  readonly token: string;
  readonly keyAuthorization: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Bytes of the program's output that are kept. */
const maxOutput = 4096;

/** Throws `AcmeProblem` when the environment names no program. `timeout` in milliseconds, for one run. */
export function hookFrom(env: Env, timeout: number): Hook {
  const { EXEC_PATH: path, EXEC_MODE: mode } = env;
  if (path === undefined || path === '') {
    throw new AcmeProblem(
      'the DNS provider `exec` needs the variable `EXEC_PATH`: the program that writes the record',
    );
  }
  return {
    propagationTimeout: secondsIn(env, 'EXEC_PROPAGATION_TIMEOUT', 60),
    pollingInterval: Math.max(100, secondsIn(env, 'EXEC_POLLING_INTERVAL', 3)),
    sequenceInterval: secondsIn(env, 'EXEC_SEQUENCE_INTERVAL', 60),
    run(action, { domain, fqdn, value, token, keyAuthorization }, signal) {
      const args = mode === 'RAW' ? [action, '--', domain, token, keyAuthorization] : [action, fqdn, value];
      return run({ path, args, env, timeout }, signal);
    },
  };
}

function secondsIn(env: Env, name: string, fallback: number): number {
  const written = env[name]?.trim() ?? '';
  return /^\d{1,6}$/.test(written) ? Number(written) * 1000 : fallback * 1000;
}

interface Running {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Env;
  readonly timeout: number;
}

function run({ path, args, env, timeout }: Running, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const action = args[0];
    // No shell; a process group of its own, so that what the program starts ends with it.
    const child = spawn(path, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...env } });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-maxOutput);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const end = (problem: Error | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      endGroup(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
      if (problem === null) resolve();
      else reject(problem);
    };
    const failed = (how: string): void => {
      const said = shortText(withoutSecrets(output, env)).slice(-300);
      end(new AcmeProblem(`\`EXEC_PATH ${action}\` ${how}${said === '' ? '' : `: ${said}`}`));
    };
    const timer = setTimeout(() => failed(`did not end within ${timeout / 1000} s`), timeout);
    const aborted = (): void =>
      end(signal.reason instanceof Error ? signal.reason : new AcmeProblem('aborted'));
    signal.addEventListener('abort', aborted, { once: true });
    child.on('error', (error: NodeJS.ErrnoException) => failed(`cannot be run: ${error.code}`));
    // Not `close`: a child it leaves behind may keep the pipes open for ever.
    child.on('exit', (code, killedBy) => {
      if (code === 0) end(null);
      // What it has said last may still be on its way.
      else setImmediate(() => failed(code === null ? `was ended by ${killedBy}` : `ended with ${code}`));
    });
    if (signal.aborted) aborted();
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended, and all it had started.
  }
}

/** A program that traces itself shows the credentials it was given. */
function withoutSecrets(text: string, env: Env): string {
  let clean = text;
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value.length < 6) continue;
    if (/key|token|secret|pass|credential|auth/i.test(name)) clean = clean.replaceAll(value, '***');
  }
  return clean;
}
