// The docker provider: containers and their labels, from any engine that speaks Docker's API.

import { isDeepStrictEqual } from 'node:util';
import type { ProviderConfig } from '../../config/dynamic/provider-config.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Log } from '../../observability/log.ts';
import type { Emit, Provider } from '../provider.ts';
import { buildDockerConfig } from './build-config.ts';
import { createClient } from './client.ts';
import type { ClientOptions } from './client.ts';
import type { Container } from './container.ts';
import type { EngineEvent } from './events.ts';
import { createOverlay, type Overlay } from './overlay.ts';
import { EngineProblem } from './problems.ts';
import { createReader } from './read.ts';
import { defaultHostAddress, findHostAddress, ownContainerId, ownNetworks, withSoundSelf } from './self.ts';
import type { DockerSettings, LastGood } from './settings.ts';
import { watchEngine } from './watch.ts';
import type { EngineWatch } from './watch.ts';

export interface DockerProviderOptions {
  readonly client: ClientOptions;
  readonly settings: Omit<DockerSettings, 'ownNetworks' | 'hostAddress'>;
  /** Follow events. */
  readonly watch: boolean;
  /** Milliseconds a container that was told to stop stays out while it runs on; 30,000 unless given. */
  readonly leaveTime?: number;
}

/** Milliseconds between two updates that cannot wait, however many servers leave. */
const urgentApart = 50;
const path = 'providers.docker.endpoint';

/** `own`: the id of the container this runs in, or its first twelve digits; null: it runs in none. */
export function createDockerProvider(
  options: DockerProviderOptions,
  log: Log,
  own: string | null = ownContainerId(),
): Provider {
  return new DockerProvider(options, log, own);
}

/**
 * Asks the engine once, within `deadline` milliseconds. Never rejects: an engine that does not answer is a warning.
 * `own` as for `createDockerProvider`.
 */
export async function readDockerOnce(
  options: DockerProviderOptions,
  deadline: number,
  own: string | null = ownContainerId(),
): Promise<{ config: ProviderConfig; diagnostics: readonly Diagnostic[] }> {
  const client = createClient({ ...options.client, timeout: Math.min(options.client.timeout, deadline) });
  // Many answers, each of them in time, may still take too long together.
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void client.close();
  }, deadline);
  try {
    const containers = withSoundSelf(await createReader(client).read(null), own);
    const hostAddress = await findHostAddress(own);
    const settings = { ...options.settings, ownNetworks: ownNetworks(containers, own), hostAddress };
    return buildDockerConfig(containers, settings, new Map());
  } catch (error) {
    const { message, hint } = isLate
      ? new EngineProblem(`not all was answered within ${deadline / 1000} s`, null)
      : (error as EngineProblem);
    const shown = options.client.endpoint.shown;
    const text = `the container engine at ${shown} could not be asked: ${message}; what its containers say is missing here`;
    const diagnostic = problem('warning', text, hint);
    return { config: { provider: 'docker', parts: [] }, diagnostics: [diagnostic] };
  } finally {
    clearTimeout(timer);
    await client.close();
  }
}

class DockerProvider implements Provider {
  readonly name = 'docker';
  readonly #options: DockerProviderOptions;
  readonly #log: Log;
  readonly #overlay: Overlay;
  readonly #lastGood: LastGood = new Map();
  readonly #own: string | null;
  #hostAddress = defaultHostAddress;
  #ownNetworks: readonly string[] = [];
  #client: ReturnType<typeof createClient> | null = null;
  #watch: EngineWatch | null = null;
  #emit: Emit | null = null;
  #report: ((diagnostics: Diagnostic[]) => void) | null = null;
  #ofContainers: readonly Diagnostic[] = [];
  #ofEngine: readonly Diagnostic[] = [];
  #urgentTimer: NodeJS.Timeout | null = null;
  #backTimer: NodeJS.Timeout | null = null;
  #urgentWaits = false;
  #isRead = false;
  #emitted: readonly Container[] | null = null;

  constructor(options: DockerProviderOptions, log: Log, own: string | null) {
    this.#options = options;
    this.#log = log;
    this.#own = own;
    this.#overlay = createOverlay(undefined, options.leaveTime);
  }

  start(emit: Emit, report: (diagnostics: Diagnostic[]) => void): void {
    this.#emit = emit;
    this.#report = report;
    this.#client = createClient(this.#options.client);
    void this.#findHostAddress();
    this.#watch = watchEngine({
      client: this.#client,
      follow: this.#options.watch,
      begin: () => this.#overlay.begin(),
      found: (containers, begun) => this.#found(containers, begun),
      event: (event) => this.#event(event),
      trouble: (trouble) => this.#trouble(trouble),
    });
  }

  ready(): Promise<void> {
    return this.#watch?.ready ?? Promise.resolve();
  }

  reload(): void {
    this.#watch?.refresh();
  }

  close(): void {
    this.#emit = null;
    this.#report = null;
    if (this.#urgentTimer !== null) clearTimeout(this.#urgentTimer);
    if (this.#backTimer !== null) clearTimeout(this.#backTimer);
    this.#watch?.close();
    void this.#client?.close();
  }

  #found(containers: readonly Container[], begun: number): void {
    this.#overlay.settle(containers, begun);
    this.#ownNetworks = ownNetworks(containers, this.#own);
    this.#isRead = true;
    this.#send(false);
    this.#lookWhenBack();
  }

  /** One that outlives its signal, which it may have taken for something else, is told of by no further event. */
  #lookWhenBack(): void {
    if (this.#backTimer !== null) clearTimeout(this.#backTimer);
    const next = this.#overlay.nextBack();
    // A little later than that: a timer may fire a millisecond early.
    this.#backTimer =
      next === null ? null : setTimeout(() => this.#watch?.refresh(), Math.max(0, next) + 20).unref();
  }

  /** Not waited for: a resolver that does not answer must not hold the routes back. */
  async #findHostAddress(): Promise<void> {
    const found = await findHostAddress(this.#own);
    if (found === this.#hostAddress) return;
    this.#hostAddress = found;
    this.#emitted = null;
    this.#send(false);
  }

  #event(event: EngineEvent): void {
    if (!this.#overlay.mark(event)) return;
    this.#log.debug({ container: event.container.slice(0, 12), event: event.kind }, 'server leaves');
    if (this.#urgentTimer !== null) {
      this.#urgentWaits = true;
      return;
    }
    this.#send(true);
    this.#urgentTimer = setTimeout(() => this.#urgentAgain(), urgentApart);
    this.#urgentTimer.unref();
  }

  #urgentAgain(): void {
    this.#urgentTimer = null;
    if (!this.#urgentWaits) return;
    this.#urgentWaits = false;
    this.#send(true);
    this.#urgentTimer = setTimeout(() => this.#urgentAgain(), urgentApart);
    this.#urgentTimer.unref();
  }

  #send(isUrgent: boolean): void {
    if (!this.#isRead || this.#emit === null) return;
    const containers = withSoundSelf(this.#overlay.containers(), this.#own);
    if (isDeepStrictEqual(this.#emitted, containers)) return;
    this.#emitted = containers;
    const place = { ownNetworks: this.#ownNetworks, hostAddress: this.#hostAddress };
    const settings = { ...this.#options.settings, ...place };
    const { config, diagnostics } = buildDockerConfig(containers, settings, this.#lastGood);
    this.#ofContainers = diagnostics;
    this.#tellAll();
    this.#emit(config, isUrgent);
  }

  #trouble(trouble: EngineProblem | null): void {
    const { shown } = this.#options.client.endpoint;
    if (trouble === null) this.#log.info({ endpoint: shown }, 'the container engine is back');
    const text = `the container engine at ${shown} cannot be followed: ${trouble?.message ?? ''}; what it last said stays in force`;
    this.#ofEngine = trouble === null ? [] : [problem('error', text, trouble.hint)];
    this.#tellAll();
  }

  #tellAll(): void {
    this.#report?.([...this.#ofEngine, ...this.#ofContainers]);
  }
}

function problem(severity: Diagnostic['severity'], message: string, hint: string | null): Diagnostic {
  const where = { source: 'static configuration', path };
  return {
    severity,
    code: 'docker.unreachable',
    message,
    where,
    ...(hint === null ? {} : { hint }),
  };
}
