// The JSON Schemas of what people write: the static file, dynamic files, and labels of a compose file.

import type { z } from 'zod';
import { definitionOf } from '../decode/layout.ts';
import { dynamicSchema } from '../dynamic/schema.ts';
import { staticSchema } from '../static/schema.ts';
import { describe, toJsonSchema } from './describe.ts';
import type { JsonSchema } from './describe.ts';

export type SchemaName = 'static' | 'dynamic' | 'compose-labels';

export const schemaNames: readonly SchemaName[] = ['static', 'dynamic', 'compose-labels'];

/** Keys are in the spelling of the reference; the gateway itself reads them in any case. */
export function schemaOf(name: SchemaName): JsonSchema {
  if (name === 'static') return headed('Static configuration of Portcullis', toJsonSchema(staticSchema));
  if (name === 'dynamic') return headed('Dynamic configuration of Portcullis', toJsonSchema(dynamicSchema));
  return headed('Labels of a container in a compose file', labelsSchema());
}

/** As the file holds it. */
export function schemaText(name: SchemaName): string {
  return `${JSON.stringify(schemaOf(name), null, 2)}\n`;
}

function headed(title: string, schema: JsonSchema): JsonSchema {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...schema };
}

interface LabelKey {
  /** A regular expression for the name, in any case. */
  readonly pattern: string;
  readonly schema: JsonSchema;
}

/** Under `http` a label says the same as a file, but a server has no URL of its own and no list around it. */
function labelsSchema(): JsonSchema {
  const keys = labelKeys();
  const any = keys.map(({ pattern }) => pattern).join('|');
  return {
    anyOf: [
      {
        type: 'object',
        propertyNames: { pattern: `^(?!${anyCase('traefik')}\\.)|^(?:${any})$` },
        patternProperties: Object.fromEntries(keys.map(({ pattern, schema }) => [`^${pattern}$`, schema])),
      },
      {
        type: 'array',
        items: { type: 'string', pattern: `^(?!${anyCase('traefik')}\\.)|^(?:${any})(?:=|$)` },
      },
    ],
  };
}

function labelKeys(): LabelKey[] {
  const bool = { enum: [true, false, 'true', 'false'] };
  const own: LabelKey[] = [
    { pattern: anyCase('traefik.enable'), schema: { ...bool, description: 'Publish this container' } },
    {
      pattern: anyCase('traefik.docker.network'),
      schema: { type: 'string', description: 'Network whose address is used' },
    },
    { pattern: anyCase('traefik.docker.allownonrunning'), schema: bool },
  ];
  const http = definitionOf(describe(dynamicSchema.shape.http).core).shape ?? {};
  const keys: LabelKey[] = [];
  for (const section of ['routers', 'services', 'middlewares']) {
    const child = http[section];
    if (child !== undefined) collect(child, anyCase(`traefik.http.${section}`), keys);
  }
  return [...own, ...keys];
}

function collect(schema: z.ZodType, pattern: string, keys: LabelKey[]): void {
  const { kind, isSection, core, note } = describe(schema);
  if (note.status === 'refused' || note.status === 'removed') return;
  const { shape, valueType, element } = definitionOf(core);
  if (kind === 'leaf') keys.push({ pattern, schema: asText(toJsonSchema(schema)) });
  if (isSection) keys.push({ pattern, schema: { enum: [true, false, 'true', 'false'] } });
  if (kind === 'map' && valueType !== undefined) collect(valueType, `${pattern}\\.[^.=]+`, keys);
  if (kind === 'array' && element !== undefined) {
    // A container is one server: its label has no number.
    if (pattern.endsWith(anyCase('loadBalancer.servers'))) server(element, pattern.slice(0, -4), keys);
    else collect(element, `${pattern}(?:\\[\\d+\\]|\\.\\d+)`, keys);
  }
  for (const [key, child] of Object.entries(shape ?? {}))
    collect(child, `${pattern}\\.${anyCase(key)}`, keys);
}

function server(element: z.ZodType, pattern: string, keys: LabelKey[]): void {
  collect(element, pattern, keys);
  keys.push(
    { pattern: `${pattern}\\.${anyCase('port')}`, schema: { type: ['string', 'integer'] } },
    { pattern: `${pattern}\\.${anyCase('scheme')}`, schema: { enum: ['http', 'https', 'h2c'] } },
  );
}

/** A label is a text: what is a list elsewhere is separated by commas. */
function asText(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  if (!Array.isArray(anyOf)) return schema;
  const flat = (anyOf as readonly JsonSchema[]).filter(({ type }) => type !== 'array');
  return { ...rest, anyOf: flat };
}

/** JSON Schema's patterns have no switch for case. */
function anyCase(text: string): string {
  return text.replace(/[a-z]|\./gi, (char) =>
    char === '.' ? '\\.' : `[${char.toLowerCase()}${char.toUpperCase()}]`,
  );
}
