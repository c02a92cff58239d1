// `docs/configuration.md`: every key, its type, its default and what it does, made from the schemas.

import type { z } from 'zod';
import { catalogue } from '../../proxy/middlewares/catalogue.ts';
import { definitionOf } from '../decode/layout.ts';
import { definitions } from '../dynamic/middleware-schema.ts';
import { dynamicSchema } from '../dynamic/schema.ts';
import { staticKeys } from '../static/keys.ts';
import { describe } from './describe.ts';
import { unsupportedKeys } from './unsupported.ts';

/** Markdown. */
export function referenceText(): string {
  const http = childrenOf(dynamicSchema.shape.http);
  return [
    '# Configuration reference\n\n',
    '<!-- Made by `npm run --silent start -- schema --reference`; do not edit. -->\n\n',
    introduction,
    '## Static configuration\n\n',
    'A file (`--configFile`, or `traefik.yml`, `.yaml`, `.toml` in the usual places), else flags, else `TRAEFIK_…` variables. Only one of the three is read.\n\n',
    table(['key', 'type', 'default', 'what it does'], staticRows()),
    '\n## Dynamic configuration\n\n',
    'In files of the file provider as written here; as a label with `traefik.` before it.\n\n',
    ...['routers', 'services', 'serversTransports'].map((section) =>
      sectionText(section, http[section] as z.ZodType),
    ),
    '### Middlewares\n\n',
    table(
      ['kind', 'what it does'],
      catalogue.map(({ kind, aliases, summary }) => [
        [kind, ...(aliases ?? [])].map(code).join(', '),
        summary,
      ]),
    ),
    ...catalogue.map(({ kind }) => middlewareText(kind)),
    `\n### TLS\n\n${table(['key', 'type', 'default'], rowsOf(dynamicSchema.shape.tls, 'tls'))}`,
    '\n## Not supported\n\n',
    'Refused and removed keys are errors that name the key; the others are accepted with a warning.\n\n',
    table(
      ['key', 'how', 'instead'],
      unsupportedKeys().map(({ path, status, instead }) => [code(path), statusWords[status], instead]),
    ),
  ].join('');
}

const introduction =
  'Keys are read in any case. `<name>` is a name of your own, `[n]` an item of a list. A *list* is a list of the format or one text with commas. A *duration* is a number of seconds, or `500ms`, `30s`, `1h30m`. A *section* is switched on by `true`, `{}` or any key of its own, and off by `false`.\n\n';

const statusWords = { refused: 'refused', removed: 'removed in v3', later: 'no effect yet' } as const;

function staticRows(): string[][] {
  return staticKeys()
    .filter(({ note }) => note.status !== 'refused' && note.status !== 'removed')
    .map(({ path, note }) => [
      code(path),
      note.section === true ? 'section' : (note.type ?? 'map'),
      fallbackText(note.shown ?? ''),
      `${note.summary ?? ''}${note.status === 'later' ? ' (no effect yet)' : ''}`.trim(),
    ]);
}

function sectionText(section: string, schema: z.ZodType): string {
  const title =
    section === 'serversTransports' ? 'Transports' : `${section[0]?.toUpperCase()}${section.slice(1)}`;
  return `### ${title}\n\n${table(['key', 'type', 'default'], rowsOf(schema, `http.${section}`))}\n`;
}

function middlewareText(kind: string): string {
  const schema = definitions.get(kind)?.schema;
  if (schema === undefined) return '';
  return `\n#### ${kind}\n\n${table(['key', 'type', 'default'], rowsOf(schema, kind))}`;
}

function childrenOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  return definitionOf(describe(schema).core).shape ?? {};
}

/** Levels below a section; a schema that holds itself must end somewhere. */
const maxLevels = 12;

function rowsOf(schema: z.ZodType, path: string, level = 0): string[][] {
  const { kind, isSection, type, fallback, core, isRequired } = describe(schema);
  const { valueType, element } = definitionOf(core);
  if (level > maxLevels) return [];
  if (kind === 'leaf') {
    const needed = isRequired && !schema.safeParse(undefined).success;
    return [[code(path), type, needed ? 'required' : fallbackText(fallback)]];
  }
  const rows: string[][] = isSection ? [[code(path), 'section', '']] : [];
  if (kind === 'map' && valueType !== undefined) rows.push(...rowsOf(valueType, `${path}.<name>`, level + 1));
  if (kind === 'array' && element !== undefined) rows.push(...rowsOf(element, `${path}[n]`, level + 1));
  for (const [key, child] of Object.entries(childrenOf(schema)))
    rows.push(...rowsOf(child, `${path}.${key}`, level + 1));
  return rows;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

function fallbackText(fallback: string): string {
  return fallback === '' ? '' : code(fallback);
}

/** A back-quote inside asks for two around. */
function code(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
