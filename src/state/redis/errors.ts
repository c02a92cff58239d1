// What can go wrong with Redis, as errors that are safe to log: a client's own carry the whole command with them.

/** It gave no answer in time, or there is no connection to it. */
export class RedisUnreachable extends Error {
  override readonly name = 'RedisUnreachable';
}

export function unreachable(): RedisUnreachable {
  return new RedisUnreachable('Redis is not reachable');
}

/** It answered with an error. */
export class RedisRefused extends Error {
  override readonly name = 'RedisRefused';
}

/** At most 300 characters, and nothing of what was sent. */
export function reasonOf(error: unknown, secrets: readonly (string | null)[] = []): string {
  let text = textOf(error);
  // "unknown command" goes on with the arguments.
  const args = text.indexOf(', with args');
  if (args !== -1) text = text.slice(0, args);
  for (const secret of secrets) if (secret !== null && secret !== '') text = text.replaceAll(secret, '…');
  return text.slice(0, 300);
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code, errors, lastNodeError } = error as Error & {
    readonly code?: unknown;
    readonly errors?: readonly unknown[];
    readonly lastNodeError?: unknown;
  };
  if (lastNodeError instanceof Error) return `${error.message} ${textOf(lastNodeError)}`;
  if (error.message !== '') return error.message;
  // Of a host with several addresses, whose error has no text of its own.
  if (errors !== undefined && errors.length > 0) return textOf(errors[0]);
  return typeof code === 'string' ? code : error.name;
}
