// Runs a command on files of a folder made for it.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { dispatch } from '../../../src/cli/dispatch.ts';

export interface Called {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A folder with these files, gone after the test. */
export function folder(context: TestContext, files: Readonly<Record<string, string>>): string {
  const made = mkdtempSync(path.join(tmpdir(), 'portcullis-cli-'));
  context.after(() => rmSync(made, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(made, name)), { recursive: true });
    writeFileSync(path.join(made, name), text);
  }
  return made;
}

export async function call(
  cwd: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Called> {
  let out = '';
  let err = '';
  const code = await dispatch({
    argv,
    env,
    cwd,
    color: false,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

/** `check` on files, or on flags. `all` are the files that are there, when not all of them are named. */
export function checked(
  context: TestContext,
  input: Readonly<Record<string, string>> | readonly string[],
  all?: Readonly<Record<string, string>>,
): Promise<Called> {
  if (isFlags(input)) return call(folder(context, {}), ['check', ...input]);
  return call(folder(context, all ?? input), ['check', ...Object.keys(input)]);
}

function isFlags(input: Readonly<Record<string, string>> | readonly string[]): input is readonly string[] {
  return Array.isArray(input);
}
