// The `.env` file beside a compose file: names and values, as compose reads them.

import { interpolate } from './interpolate.ts';

/** Variables read of one file. */
const maxVariables = 10_000;

/** Lines that are no assignment are left out. Later lines may use earlier ones and `env`, which wins. */
export function parseDotenv(text: string, env: NodeJS.ProcessEnv): Record<string, string> {
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  const lookUp = (name: string): string | undefined => env[name] ?? values[name];
  let count = 0;
  for (const match of text.replaceAll('\r\n', '\n').matchAll(assignment)) {
    if ((count += 1) > maxVariables) break;
    const [, name = '', single, double, bare = ''] = match;
    if (single !== undefined) values[name] = single;
    else if (double !== undefined) values[name] = interpolate(unescape(double), lookUp).text;
    else values[name] = interpolate(bare.replace(/(?:^|\s)#.*$/, '').trim(), lookUp).text;
  }
  return values;
}

const assignment =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*(?:'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|([^\n]*))/gm;

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '\\': '\\',
  $: '$$',
};

function unescape(text: string): string {
  return text.replace(/\\([\s\S])/g, (whole, char: string) => escapes[char] ?? whole);
}
