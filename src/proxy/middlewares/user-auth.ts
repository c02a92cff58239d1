// What basicAuth and digestAuth share: users written as lines, who is let in and as whom, and the 401.

import type { z } from 'zod';
import type { Exchange } from '../exchange.ts';
import { deleteHeader, type HeaderList } from '../headers.ts';
import { CONTINUE, type Verdict } from '../hooks.ts';
import { bool, list, object, secret, text } from './fields.ts';
import { headerName } from './header-text.ts';
import { headerFieldOf, OwnHeaders } from './own-headers.ts';

/** How one line of a users file is read. */
export interface UserFormat {
  /** What is wrong with `line`, naming the user and never the hash; null when nothing is. */
  problemOf(line: string): string | null;
  /** Of a line without a problem: what its hash is found by, one char a byte, and the hash. */
  read(line: string): readonly [key: string, hash: string];
}

export interface UserOptions {
  readonly users: string[];
  readonly usersFile: string;
  readonly realm: string;
  readonly removeHeader: boolean;
  readonly headerField: string;
}

/** Users of one middleware. */
const maxUsers = 100_000;

/** The parts of a middleware's definition that follow from how its users are written. */
export function userDefinition(format: UserFormat): UserDefinition {
  return {
    schema: schemaOf(format),
    withFiles(options, readFile) {
      if (options.usersFile === '') return options;
      const users = mergeUsers(format, options.users, readFile(options.usersFile));
      return { ...options, usersFile: '', users };
    },
    ownHeaders: headerFieldOf,
  };
}

export interface UserDefinition {
  readonly schema: z.ZodType<UserOptions>;
  withFiles(options: UserOptions, readFile: (path: string) => string): UserOptions;
  ownHeaders(options: unknown): readonly string[];
}

function schemaOf(format: UserFormat): z.ZodType<UserOptions> {
  return object({
    users: secret(
      list.default([]).superRefine((lines, context) => {
        for (const line of lines) {
          const message = format.problemOf(line);
          if (message !== null) context.addIssue({ code: 'custom', message });
        }
      }),
    ),
    usersFile: text.default(''),
    realm: text.default('traefik'),
    removeHeader: bool.default(false),
    headerField: text.default(''),
  }).refine(({ users, usersFile }) => users.length > 0 || usersFile !== '', 'expected users or a usersFile');
}

/** `users` and the lines of a file; the former win. Throws `Error` without any user, or for a bad line. */
export function mergeUsers(format: UserFormat, users: readonly string[], file: string): string[] {
  const lines = file
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const merged = [...users, ...lines];
  if (merged.length === 0) throw new Error('usersFile holds no user');
  for (const line of lines) {
    const message = format.problemOf(line);
    if (message !== null) throw new Error(`usersFile: ${message}`);
  }
  return merged;
}

/** Hash by key. Throws `Error` without any user, or when their file was not read. */
export function usersOf(format: UserFormat, options: UserOptions): ReadonlyMap<string, string> {
  if (options.usersFile !== '') throw new Error('usersFile was not read');
  const users = parseUsers(format, options.users);
  if (users.size === 0) throw new Error('there is no user');
  return users;
}

/** Throws `Error` for a line that is none. */
export function parseUsers(format: UserFormat, lines: readonly string[]): ReadonlyMap<string, string> {
  if (lines.length > maxUsers) throw new Error(`more than ${maxUsers} users`);
  const users = new Map<string, string>();
  for (const line of lines) {
    const message = format.problemOf(line);
    if (message !== null) throw new Error(message);
    const [key, hash] = format.read(line);
    // The first of two wins, as in a file that was written into another one.
    if (!users.has(key)) users.set(key, hash);
  }
  return users;
}

/** What a request becomes once it is known who makes it. */
export class Admission {
  readonly #removeHeader: boolean;
  /** In lower case; empty for none. */
  readonly #headerField: string;
  readonly #own: OwnHeaders;

  /** Throws `Error` for a `headerField` that is none. */
  constructor({ removeHeader, headerField }: UserOptions) {
    this.#removeHeader = removeHeader;
    this.#headerField = headerField === '' ? '' : headerName(headerField, 'headerField');
    this.#own = new OwnHeaders(headerField === '' ? [] : [this.#headerField]);
  }

  /** `name` has one char a byte. */
  admit(x: Exchange, name: string): Verdict {
    if (this.#removeHeader) deleteHeader(x.headers, 'authorization');
    if (this.#headerField !== '') {
      this.#own.clear(x.headers);
      x.headers.push(this.#headerField, name);
    }
    return CONTINUE;
  }
}

export function unauthorized(x: Exchange, challenge: string): Verdict {
  const headers = ['content-type', 'text/plain', 'www-authenticate', challenge];
  return x.answer(401, headers, '401 Unauthorized\n');
}

/** Null when there is none, or several: the server behind might believe another one than we do. */
export function authorization(headers: HeaderList): string | null {
  let found: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'authorization') continue;
    if (found !== null) return null;
    found = headers[i + 1] as string;
  }
  return found;
}
