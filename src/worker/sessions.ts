// Where this worker's sessions are shared: with all nodes by Redis, or with the other workers by the primary.

import type { ToWorker } from '../model/ipc.ts';
import type { WorkerSettings } from '../model/settings.ts';
import type { SessionRoom } from '../proxy/services/sticky-header.ts';
import type { SharedDecisions } from '../state/decisions.ts';
import type { RedisConnection } from '../state/redis/connect.ts';
import { RedisDecisions } from '../state/redis/decisions.ts';
import { RedisSessions } from '../state/redis/sessions.ts';
import { Sealing } from '../state/sealing.ts';
import { NodeSessions } from '../state/node-sessions.ts';
import { RemoteSessions } from '../state/session-remote.ts';
import { Sessions } from '../state/sessions.ts';
import type { Report } from './report.ts';

export interface Shared {
  readonly sessions: SessionRoom;
  /** Null without Redis, or without a secret that keeps what is in it from its readers. */
  readonly decisions: SharedDecisions | null;
  /** False: the message is about something else. */
  obey(message: ToWorker): boolean;
}

export function createShared(
  settings: WorkerSettings,
  connection: RedisConnection | null,
  report: Report,
): Shared {
  const { stateSecret = null, bootSecret, stateOnError } = settings;
  const sealing = stateSecret === null ? null : new Sealing(stateSecret);
  const refuses = stateOnError === 'closed';
  const moved = (sessions: Sessions, message: ToWorker): boolean => {
    if (message.type !== 'sessions-moved') return false;
    for (const name of message.sessions) sessions.drop(name);
    return true;
  };
  const table = new RemoteSessions({
    // After Redis, no request waits for the primary any longer than for that.
    ...(connection !== null && { budget: 50 }),
    send(calls) {
      report(calls);
      return process.connected;
    },
  });
  if (connection !== null) {
    // Without a secret the digests are the same on all nodes, too; ids that can be guessed can then be tried.
    const salt = sealing?.sessionSalt ?? '';
    const far = new RedisSessions(connection);
    // `closed` means that nobody but Redis is believed.
    const sessions = new Sessions({ table: refuses ? far : new NodeSessions(far, table) });
    const decisions = sealing === null ? null : new RedisDecisions(connection, sealing);
    if (decisions !== null) warm(connection, decisions);
    return {
      sessions: { sessions, salt, refuses },
      decisions,
      obey(message) {
        if (message.type !== 'session-answer') return moved(sessions, message);
        table.answered(message);
        return true;
      },
    };
  }
  const sessions = new Sessions({ table });
  return {
    sessions: { sessions, salt: bootSecret, refuses },
    decisions: null,
    obey(message) {
      if (message.type !== 'session-answer') return moved(sessions, message);
      table.answered(message);
      return true;
    },
  };
}

/** The first look of a process takes longest, past its budget on a busy machine: no request should pay for it. */
function warm(connection: RedisConnection, decisions: SharedDecisions): void {
  connection.whenReachable(5_000).then(
    () => decisions.find(''),
    () => {},
  );
}
