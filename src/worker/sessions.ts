// Where this worker's sessions are shared: with all nodes by Redis, or with the other workers by the primary.

import type { ToWorker } from '../model/ipc.ts';
import type { WorkerSettings } from '../model/settings.ts';
import type { SessionRoom } from '../proxy/services/sticky-header.ts';
import type { SharedDecisions } from '../state/decisions.ts';
import { NodeSessions } from '../state/node-sessions.ts';
import type { RedisConnection } from '../state/redis/connect.ts';
import { RedisDecisions } from '../state/redis/decisions.ts';
import { RedisSessions } from '../state/redis/sessions.ts';
import { Sealing } from '../state/sealing.ts';
import { RemoteSessions } from '../state/session-remote.ts';
import { Sessions, type SessionTable } from '../state/sessions.ts';
import { redisBudget } from '../state/state.ts';
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
  const near = new RemoteSessions({
    // After Redis, no request waits for the primary any longer than for that.
    ...(connection !== null && { budget: redisBudget }),
    send(calls) {
      report(calls);
      return process.connected;
    },
  });
  const sessions = new Sessions({ table: tableOf(connection, near, refuses) });
  const decisions = connection === null || sealing === null ? null : new RedisDecisions(connection, sealing);
  if (connection !== null && decisions !== null) warm(connection, decisions);
  // Without a secret the digests are the same on all nodes, too; ids that can be guessed can then be tried.
  const salt = connection === null ? bootSecret : (sealing?.sessionSalt ?? '');
  return {
    sessions: { sessions, salt, refuses },
    decisions,
    obey(message) {
      if (message.type === 'session-answer') near.answered(message);
      else if (message.type === 'sessions-moved') for (const name of message.sessions) sessions.drop(name);
      else return false;
      return true;
    },
  };
}

function tableOf(connection: RedisConnection | null, near: RemoteSessions, refuses: boolean): SessionTable {
  if (connection === null) return near;
  const far = new RedisSessions(connection);
  // `closed` means that nobody but Redis is believed.
  return refuses ? far : new NodeSessions(far, near);
}

/** The first look of a process takes longest, past its budget on a busy machine: no request should pay for it. */
function warm(connection: RedisConnection, decisions: SharedDecisions): void {
  connection.whenReachable(5_000).then(
    () => decisions.find(''),
    () => {},
  );
}
