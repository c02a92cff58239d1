// Run once, as the user that workers will be: what that user cannot do but must, and what it can do but must not. The
// kernel's own answer, whatever modes, lists, capabilities and namespaces are in play.

import { accessSync, constants, lstatSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';

/** Read as JSON from standard input. */
export interface ProbeQuestion {
  readonly listen: readonly { readonly name: string; readonly host: string; readonly port: number }[];
  /** Files that must be readable. */
  readonly read: readonly string[];
  /** Files that must be writable. */
  readonly append: readonly string[];
  /** Folders in which files must be made and renamed. */
  readonly change: readonly string[];
  /** Files and sockets that must not be within reach. */
  readonly forbidden: readonly string[];
}

/** Written as JSON to standard output: the first thing that is not as it must be, or null. */
export interface ProbeAnswer {
  readonly problem: {
    readonly kind: 'listen' | 'read' | 'append' | 'change' | 'forbidden';
    readonly what: string;
    readonly code: string;
  } | null;
}

if (import.meta.main) {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const question = JSON.parse(Buffer.concat(chunks).toString()) as ProbeQuestion;
  process.stdout.write(JSON.stringify(await answer(question)));
}

async function answer(question: ProbeQuestion): Promise<ProbeAnswer> {
  for (const { name, host, port } of question.listen)
    if ((await listenCode(host, port)) === 'EACCES')
      return { problem: { kind: 'listen', what: name, code: 'EACCES' } };
  for (const [kind, mode] of [
    ['read', constants.R_OK],
    ['append', constants.W_OK],
    ['change', constants.W_OK | constants.X_OK],
  ] as const) {
    for (const what of question[kind]) {
      const code = accessCode(what, mode);
      if (code !== null) return { problem: { kind, what, code } };
    }
  }
  const open = question.forbidden.find((what) => isWithinReach(what));
  return { problem: open === undefined ? null : { kind: 'forbidden', what: open, code: '' } };
}

/** Null when it can be bound; a port that is in use is no matter of rights. */
function listenCode(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    server.listen({ port, exclusive: true, ...(host === '' ? {} : { host }) }, () =>
      server.close(() => resolve(null)),
    );
  });
}

function accessCode(path: string, mode: number): string | null {
  try {
    accessSync(path, mode);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  }
}

/** Reading or writing it; or, since that comes to the same, putting another file into its place. */
function isWithinReach(path: string): boolean {
  if (accessCode(path, constants.R_OK) === null || accessCode(path, constants.W_OK) === null) return true;
  try {
    // In a folder like /tmp only the owner may move what is there.
    if ((lstatSync(dirname(path)).mode & 0o1000) !== 0) return false;
  } catch {
    return false;
  }
  return accessCode(dirname(path), constants.W_OK | constants.X_OK) === null;
}
