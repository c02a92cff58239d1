// `portcullis schema`: JSON Schemas, the reference and the list of what is not supported, all from one source.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { schemaNames, schemaText } from '../config/json-schema/files.ts';
import type { SchemaName } from '../config/json-schema/files.ts';
import { referenceText } from '../config/json-schema/reference.ts';
import { unsupportedText } from '../config/json-schema/unsupported.ts';
import { takeOption, takeSwitch } from './command.ts';
import type { Command, CommandContext } from './command.ts';

export const schema: Command = {
  name: 'schema',
  summary: 'Print the JSON Schema of a file, the reference of all keys, or what is not supported',
  usage: [
    `schema ${schemaNames.join('|')}`,
    'schema --reference',
    'schema --unsupported',
    'schema --write DIRECTORY',
  ],
  options: [
    ['--reference', 'All keys as Markdown'],
    ['--unsupported', 'Keys of Traefik that are refused, removed or without effect'],
    ['--write DIRECTORY', 'All schemas as files, `static.json` and so on'],
  ],
  run: async (context) => {
    const reference = takeSwitch(context.argv, '--reference');
    const unsupported = takeSwitch(reference.rest, '--unsupported');
    const write = takeOption(unsupported.rest, ['--write']);
    const [name, extra] = write.rest;
    const asked = Number(reference.isSet) + Number(unsupported.isSet) + write.values.length;
    if (asked + (name === undefined ? 0 : 1) !== 1 || extra !== undefined) {
      context.err(
        `portcullis schema: give one of ${schemaNames.join(', ')}, --reference, --unsupported, --write\n`,
      );
      return 2;
    }
    if (reference.isSet) context.out(referenceText());
    else if (unsupported.isSet) context.out(unsupportedText());
    else if (name === undefined) return writeAll(context, write.values[0] ?? '');
    else if (!(schemaNames as readonly string[]).includes(name)) {
      context.err(`portcullis schema: there is no schema ${JSON.stringify(name.slice(0, 80))}\n`);
      return 2;
    } else context.out(schemaText(name as SchemaName));
    return 0;
  },
};

function writeAll(context: CommandContext, directory: string): number {
  const folder = path.resolve(context.cwd, directory);
  try {
    mkdirSync(folder, { recursive: true });
    for (const name of schemaNames) writeFileSync(path.join(folder, `${name}.json`), schemaText(name));
  } catch (error) {
    context.err(
      `portcullis schema: ${(error as NodeJS.ErrnoException).code ?? 'failed'}: cannot write there\n`,
    );
    return 1;
  }
  return 0;
}
