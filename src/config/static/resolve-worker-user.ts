// `workerUser` and `workerEnv`: who workers are to the operating system, and what they are told of the environment.

import type { Diagnostic } from '../../model/diagnostic.ts';
import { staticError } from './problem.ts';
import type { StaticConfig } from './schema.ts';

/** A name, to be looked up at the start, or numbers. */
export type WorkerIdentity =
  | { readonly name: string }
  | { readonly name: string; readonly uid: number; readonly gid: number };

/** Variables that `workerEnv` may name. */
const maxVariables = 100;
/** What Linux allows; the highest number means "nobody is meant". */
const mostId = 4_294_967_294;

/** Null: workers are the user the primary is. */
export function resolveWorkerUser(config: StaticConfig, diagnostics: Diagnostic[]): WorkerIdentity | null {
  const written = config.workerUser?.trim() ?? '';
  if (config.workerUser === undefined) return null;
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10})$/.exec(written) ?? [];
  const ids = { uid: Number(uid), gid: Number(gid) };
  const isNumeric = uid !== undefined && Math.max(ids.uid, ids.gid) <= mostId;
  if (!isNumeric && !/^[a-z_][a-z0-9_.-]{0,63}$/i.test(written)) {
    const message = `\`workerUser\` is ${JSON.stringify(written.slice(0, 80))}, expected the name of a user or \`uid:gid\``;
    diagnostics.push(staticError('workerUser', message, 'e.g. `portcullis` or `65532:65532`'));
    return null;
  }
  if (written === 'root' || (isNumeric && (ids.uid === 0 || ids.gid === 0))) {
    const message = `\`workerUser\` is "${written}": workers would have the rights it is to take from them`;
    diagnostics.push(staticError('workerUser', message, 'name a user of their own'));
    return null;
  }
  if (config.log !== undefined && config.log.filePath !== undefined && config.log.filePath !== '')
    refuseLogRotation(config.log, diagnostics);
  return isNumeric ? { name: written, ...ids } : { name: written };
}

/** Names of variables. */
export function resolveWorkerEnv({ workerEnv }: StaticConfig, diagnostics: Diagnostic[]): readonly string[] {
  const wrong = workerEnv.find((name) => !/^[A-Z_][A-Z0-9_]{0,127}$/i.test(name));
  if (wrong !== undefined) {
    const message = `\`workerEnv\` holds ${JSON.stringify(wrong.slice(0, 80))}, expected names of variables`;
    diagnostics.push(staticError('workerEnv', message));
  }
  if (workerEnv.length > maxVariables)
    diagnostics.push(staticError('workerEnv', `\`workerEnv\` has more than ${maxVariables} names`));
  return workerEnv;
}

/** The primary would rename and read files, as root, in a folder that its workers can put links into. */
function refuseLogRotation(log: NonNullable<StaticConfig['log']>, diagnostics: Diagnostic[]): void {
  if (log.maxSize <= 0 && log.maxAge <= 0 && log.maxBackups <= 0) return;
  const message = '`log` cannot be rotated by the gateway itself while workers are another user';
  diagnostics.push(staticError('log.maxSize', message, 'let logrotate move it and send SIGUSR1'));
}
