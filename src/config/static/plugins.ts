// Plugins: where their modules lie, and loading them, so that their options can be read.

import path from 'node:path';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { PluginSettings } from '../../model/settings.ts';
import { loadPlugins } from '../../proxy/middlewares/plugin/registry.ts';
import type { Tree } from '../tree.ts';
import { placed, staticWarning } from './problem.ts';
import type { StaticConfig } from './schema.ts';

/** Makes every module's path absolute, in place, from the file that names it, and loads it. Never throws. */
export function readPlugins(
  config: StaticConfig,
  tree: Tree,
  file: string | undefined,
): readonly Diagnostic[] {
  const folder = file === undefined ? process.cwd() : path.dirname(path.resolve(file));
  for (const plugin of Object.values(config.plugins ?? {}))
    plugin.module = path.resolve(folder, plugin.module);
  const problems = loadPlugins(pluginSettings(config)).map(({ name, message }) =>
    staticWarning(
      `plugins.${name}.module`,
      `the plugin \`${name}\` does not load: ${message}`,
      'routers that use it answer 503',
    ),
  );
  return placed(problems, tree);
}

export function pluginSettings(config: StaticConfig): readonly PluginSettings[] {
  return Object.entries(config.plugins ?? {}).map(([name, { module }]) => ({ name, module }));
}
