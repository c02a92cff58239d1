// plugin: a middleware of the user's own, from a module that the static configuration names.

import { z } from 'zod';
import { defineMiddleware } from './define.ts';
import { checkedHooks, checkedNames } from './plugin/checked-hooks.ts';
import { loadedPlugin, pluginSchemas } from './plugin/registry.ts';

export const plugin = defineMiddleware({
  kind: 'plugin',
  summary: 'A middleware of your own: see docs/writing-a-middleware.md.',
  // Plugins are loaded after this module and before any options are read.
  schema: z.lazy(() =>
    z
      .strictObject(pluginSchemas())
      .refine((written) => Object.keys(written).length === 1, 'expected exactly one plugin, by its name'),
  ) as z.ZodType<Readonly<Record<string, unknown>>>,
  withFiles(written, readFile) {
    const [name, options] = only(written);
    return { [name]: loadedPlugin(name).withFiles?.(options, readFile) ?? options };
  },
  ownHeaders(written) {
    if (typeof written !== 'object' || written === null) return [];
    const [name, options] = only(written as Readonly<Record<string, unknown>>);
    return name === '' ? [] : (loadedPlugin(name).ownHeaders?.(options) ?? []);
  },
  build(written, deps) {
    const [name, options] = only(written);
    const definition = loadedPlugin(name);
    // Without its list, clients could send what the plugin sets for servers.
    if (definition.ownHeaders !== undefined) checkedNames(definition.ownHeaders(options));
    return checkedHooks(definition.build(options, deps));
  },
});

function only(written: Readonly<Record<string, unknown>>): readonly [string, unknown] {
  return Object.entries(written)[0] ?? ['', null];
}
