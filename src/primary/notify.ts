// Tells the service manager (systemd, or what speaks its protocol) how the gateway is.

import { spawn } from 'node:child_process';
import type { Log } from '../observability/log.ts';

export interface Notifier {
  /** Whether somebody wants to be told. */
  readonly isOn: boolean;
  /** It serves; also after a reload. Settles once the manager has read it, 6 s later at the latest. */
  ready(status: string): Promise<void>;
  /** As `ready`, and this process is the main one from now on. */
  tookOver(status: string): Promise<void>;
  /** After `tookOver`: the process `pid` is the main one again, and its unit goes on. */
  gaveBack(pid: number, status: string): Promise<void>;
  reloading(): Promise<void>;
  /** Nothing is told by a successor that has not taken over: the unit goes on with the other one. */
  stopping(status: string): void;
  /** Feeds the watchdog, where there is one, for as long as `isAlive` holds; it has a quarter of the watchdog's time. */
  watch(isAlive: (ms: number) => Promise<boolean>): void;
  /** Nothing is told any more: a successor speaks now, or the end has come. */
  silence(): void;
}

/** Milliseconds: `systemd-notify` itself waits 5 s for the manager to read. */
const sendTimeout = 6_000;
/** Messages not sent yet; more are dropped, which only a manager that does not read can bring about. */
const maxWaiting = 16;

/**
 * Takes the variables of the protocol out of `env`, so that no worker inherits them.
 *
 * The protocol wants a datagram on a unix socket, which Node cannot send. `systemd-notify` is wherever systemd is,
 * and sends it in 2 ms of the primary's CPU and about 5 ms of its own; that it is another process than the main
 * one is why the unit needs `NotifyAccess=all`.
 */
export function createNotifier(env: NodeJS.ProcessEnv, log: Log, isSuccessor = false): Notifier {
  const { NOTIFY_SOCKET: socket = '' } = env;
  const every = watchdogMillis(env) / 2;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  return new SystemdNotifier(socket, { every, isMain: !isSuccessor }, log);
}

/** 0: nobody watches, or another process is meant. */
export function watchdogMillis(env: NodeJS.ProcessEnv): number {
  const { WATCHDOG_USEC: usec = '', WATCHDOG_PID: pid } = env;
  if (pid !== undefined && pid !== String(process.pid)) return 0;
  const millis = /^\d{1,15}$/.test(usec) ? Number(usec) / 1000 : 0;
  // Timers hold 31 bits.
  return Math.min(millis, 2 ** 31 - 1);
}

class SystemdNotifier implements Notifier {
  readonly isOn: boolean;
  readonly #socket: string;
  readonly #every: number;
  readonly #log: Log;
  #isMain: boolean;
  #timer: NodeJS.Timeout | null = null;
  #silent = false;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(
    socket: string,
    { every, isMain }: { readonly every: number; readonly isMain: boolean },
    log: Log,
  ) {
    this.isOn = socket.startsWith('/') || socket.startsWith('@');
    this.#socket = socket;
    this.#every = every;
    this.#isMain = isMain;
    this.#log = log;
  }

  ready(status: string): Promise<void> {
    return this.#send(['READY=1', statusLine(status)]);
  }

  async tookOver(status: string): Promise<void> {
    await this.#send([`MAINPID=${process.pid}`, 'READY=1', statusLine(status)]);
    this.#isMain = true;
  }

  gaveBack(pid: number, status: string): Promise<void> {
    this.#isMain = false;
    return this.#send([`MAINPID=${pid}`, 'READY=1', statusLine(status)]);
  }

  reloading(): Promise<void> {
    // CLOCK_MONOTONIC, which Type=notify-reload compares with the time of its own signal.
    const now = process.hrtime.bigint() / 1000n;
    return this.#send(['RELOADING=1', `MONOTONIC_USEC=${now}`]);
  }

  stopping(status: string): void {
    if (this.#isMain) void this.#send(['STOPPING=1', statusLine(status)]);
  }

  watch(isAlive: (ms: number) => Promise<boolean>): void {
    if (!this.isOn || this.#every === 0 || this.#timer !== null) return;
    let asking = false;
    const tick = async (): Promise<void> => {
      if (asking) return;
      asking = true;
      if (await isAlive(this.#every / 2)) await this.#send(['WATCHDOG=1']);
      asking = false;
    };
    this.#timer = setInterval(() => void tick(), this.#every);
    this.#timer.unref();
    void tick();
  }

  silence(): void {
    this.#silent = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #send(lines: readonly string[]): Promise<void> {
    if (!this.isOn || this.#silent || this.#waiting >= maxWaiting) return Promise.resolve();
    this.#waiting += 1;
    this.#last = this.#last.then(async () => {
      await this.#run(lines);
      this.#waiting -= 1;
    });
    return this.#last;
  }

  #run(lines: readonly string[]): Promise<void> {
    const env = { PATH: process.env['PATH'], NOTIFY_SOCKET: this.#socket };
    return new Promise((resolve) => {
      const child = spawn('systemd-notify', lines, { env, stdio: 'ignore', timeout: sendTimeout });
      child.on('error', (error) => {
        // Without the program it will not come; once is enough.
        this.#log.error({ reason: error.message }, 'the service manager cannot be told: systemd-notify');
        this.silence();
        resolve();
      });
      child.on('close', (code) => {
        if (code !== 0) this.#log.warn({ code, what: lines[0] }, 'the service manager was not told');
        resolve();
      });
    });
  }
}

/** One line, at most 200 characters. */
function statusLine(status: string): string {
  return `STATUS=${status.replaceAll(/[\r\n]+/g, ' ').slice(0, 200)}`;
}
