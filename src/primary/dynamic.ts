// The dynamic configuration as it changes: providers in, resolved content out, diagnostics kept.

import { resolve } from '../config/dynamic/resolve.ts';
import type { ResolvedStatic } from '../config/static/resolve.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Log } from '../observability/log.ts';
import { createAggregate } from '../providers/aggregate.ts';
import { createFileProvider } from '../providers/file/file.ts';
import { dynamicSide } from '../providers/from-static.ts';
import type { Provider } from '../providers/provider.ts';
import { logDiagnostics } from './log-diagnostics.ts';
import type { Content } from './reload.ts';

export interface DynamicOptions {
  readonly config: StaticConfig;
  readonly resolved: ResolvedStatic;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Called for every change, after `start` has returned. */
  readonly onContent: (content: Content) => void;
}

export interface Dynamic {
  /** What the providers give at once; they go on watching. */
  start(): Content;
  reload(): void;
  /** All that is wrong at present. */
  diagnostics(): readonly Diagnostic[];
  /** As Traefik names them. */
  readonly providers: readonly string[];
  close(): void;
}

export function createDynamic(options: DynamicOptions): Dynamic {
  const side = dynamicSide(options.config, options.resolved, options.env);
  const providers: readonly Provider[] = side.file === null ? [] : [createFileProvider(side.file)];
  const reported = new Map<string, readonly Diagnostic[]>([['static', side.diagnostics]]);
  let first: Content | null = null;
  let started = false;
  let written = new Set<string>();

  const diagnostics = (): readonly Diagnostic[] => [...reported.values()].flat();
  const writeNew = (): void => {
    const now = new Map(diagnostics().map((diagnostic) => [JSON.stringify(diagnostic), diagnostic]));
    const fresh = [...now].filter(([key]) => !written.has(key)).map(([, diagnostic]) => diagnostic);
    written = new Set(now.keys());
    logDiagnostics(options.log, fresh);
  };
  const aggregate = createAggregate({
    providers,
    fixed: side.fixed,
    throttle: options.resolved.providersThrottleDuration,
    onDiagnostics: (provider, list) => void reported.set(provider, list),
    onChange(sources) {
      const result = resolve({ ...side.base, sources });
      reported.set('resolve', result.diagnostics);
      writeNew();
      if (started) options.onContent(result.snapshot);
      else first = result.snapshot;
    },
  });
  return {
    start() {
      aggregate.start();
      started = true;
      if (first === null) throw new Error('providers gave nothing at their start');
      return first;
    },
    reload: () => aggregate.reload(),
    diagnostics,
    providers: providers.map(({ name }) => name.charAt(0).toUpperCase() + name.slice(1)),
    close: () => aggregate.close(),
  };
}
