// What a new middleware begins with: its source, its unit test, its golden case.

export interface Names {
  /** `my-thing` */
  readonly file: string;
  /** `myThing`: what configurations say. */
  readonly kind: string;
}

export function sourceOf({ file, kind }: Names): string {
  return `// ${kind}: says what the platform needs it for.

import { setHeader } from '../headers.ts';
import { CONTINUE } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { section, text } from './fields.ts';

export const ${kind} = defineMiddleware({
  kind: '${kind}',
  summary: 'Sets a header of the request.',
  schema: section({ value: text.default('yes') }),
  build(options) {
    return {
      request(x) {
        setHeader(x.headers, 'x-${file}', options.value);
        return CONTINUE;
      },
    };
  },
});
`;
}

export function testOf({ file, kind }: Names): string {
  return `// ${kind}: what it does to a request, and which options it refuses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTINUE } from '../../../../src/proxy/hooks.ts';
import { build, exchange } from './workbench.ts';

test('${kind} sets its header, in place of what the client sent', () => {
  const x = exchange({ headers: ['x-${file}', 'forged'] });
  assert.equal(build('${kind}', { value: 'certainly' }).request(x), CONTINUE);
  assert.deepEqual(x.headers, ['x-${file}', 'certainly']);
});

test('${kind} without options says yes', () => {
  const x = exchange();
  build('${kind}', {}).request(x);
  assert.deepEqual(x.headers, ['x-${file}', 'yes']);
});

test('${kind} refuses a value that is no text, and a key it does not know', () => {
  assert.throws(() => build('${kind}', { value: {} }), /expected text/);
  assert.throws(() => build('${kind}', { valeu: 'yes' }), /unrecognized_keys/i);
});
`;
}

/** Each key of the schema, with a value that is no default: tests name the one that is missing. */
export function goldenOf({ file, kind }: Names): string {
  return `http:
  middlewares:
    ${file}:
      ${kind}:
        value: certainly
`;
}

/** The catalogue's text with one more: its import and its place in the list, both in the alphabet's order. */
export function withEntry(catalogue: string, { file, kind }: Names): string {
  const lines = catalogue.split('\n');
  const imports = (line: string): string | undefined =>
    /^import \{ \w+ \} from '\.\/([\w-]+)\.ts';$/.exec(line)?.[1];
  insert(lines, `import { ${kind} } from './${file}.ts';`, (line) => imports(line), file);
  insert(lines, `  ${kind},`, (line) => /^ {2}(\w+),$/.exec(line)?.[1], kind);
  return lines.join('\n');
}

/** Before the first line whose name comes later, or after the last that has one. */
function insert(
  lines: string[],
  line: string,
  nameOf: (line: string) => string | undefined,
  own: string,
): void {
  const later = lines.findIndex((one) => (nameOf(one) ?? '') > own);
  const at = later === -1 ? lines.findLastIndex((one) => nameOf(one) !== undefined) + 1 : later;
  lines.splice(at, 0, line);
}
