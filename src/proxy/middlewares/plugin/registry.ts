// The plugins of this process, loaded once at its start: what a plugin is, is part of the static configuration.

import { createRequire, registerHooks } from 'node:module';
import { z } from 'zod';
import type { PluginSettings } from '../../../model/settings.ts';
import type { MiddlewareDefinition } from '../define.ts';

/** The definition, or why there is none. */
type Plugin = MiddlewareDefinition | string;

/** As many as the static configuration names. */
const plugins = new Map<string, Plugin>();

export interface PluginProblem {
  readonly name: string;
  readonly message: string;
}

/**
 * Loads every module, once. Never throws: what is wrong with one is told, and every middleware that uses it is
 * broken.
 */
export function loadPlugins(settings: readonly PluginSettings[]): readonly PluginProblem[] {
  if (settings.length > 0) offerKit();
  const problems: PluginProblem[] = [];
  for (const { name, module } of settings) {
    const loaded = load(module);
    plugins.set(name, loaded);
    if (typeof loaded === 'string') problems.push({ name, message: loaded });
  }
  return problems;
}

/** Throws `Error` when there is no such plugin or it did not load. */
export function loadedPlugin(name: string): MiddlewareDefinition {
  const found = plugins.get(name);
  if (found === undefined) throw new Error(`there is no plugin ${JSON.stringify(name.slice(0, 80))}`);
  if (typeof found === 'string') throw new Error(`the plugin ${name} does not load: ${found}`);
  return found;
}

/** Options by plugin name, all optional. */
export function pluginSchemas(): Record<string, z.ZodType> {
  return Object.fromEntries(
    [...plugins].map(([name, loaded]) => [
      name,
      (typeof loaded === 'string' ? unloadable(name, loaded) : loaded.schema).optional(),
    ]),
  );
}

function unloadable(name: string, reason: string): z.ZodType {
  return z.any().superRefine((_value, context) => {
    context.addIssue({ code: 'custom', message: `the plugin ${name} does not load: ${reason}` });
  });
}

function load(module: string): Plugin {
  let exports: { readonly middleware?: unknown };
  try {
    exports = createRequire(import.meta.url)(module) as { readonly middleware?: unknown };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_REQUIRE_ASYNC_MODULE') return 'it awaits something at its top level';
    return String(message).split('\n')[0]?.slice(0, 300) ?? '';
  }
  return definitionIn(exports.middleware);
}

function definitionIn(middleware: unknown): Plugin {
  if (typeof middleware !== 'object' || middleware === null) return 'it exports no `middleware`';
  const { schema, build } = middleware as Partial<MiddlewareDefinition>;
  if (typeof build !== 'function') return 'its `middleware` has no `build`';
  if (typeof schema?.safeParse !== 'function') return 'its `middleware` has no `schema`';
  // Taken for one, it would throw wherever options are read.
  if (!('_zod' in schema) || typeof schema.optional !== 'function') return 'its `schema` is none of zod 4';
  return middleware as MiddlewareDefinition;
}

let isOffered = false;

/** Makes `portcullis/plugin` known to modules wherever they lie: they need no packages of their own. */
function offerKit(): void {
  if (isOffered) return;
  isOffered = true;
  const url = new URL('./kit.ts', import.meta.url).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'portcullis/plugin' ? { url, shortCircuit: true } : next(specifier, context),
  });
}
