// HTTP load of one kind: connections that ask without a pause.

import { commandPath } from '../install.ts';
import type { Load, Sample } from '../scenario.ts';
import { autocannon } from './autocannon.ts';
import { wrk } from './wrk.ts';

export interface HttpRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Length of the body. */
  readonly bytes?: number;
}

export interface HttpLoad {
  /** Sent one after the other, over and over. */
  readonly requests: readonly HttpRequest[];
  /** 64 unless said. */
  readonly connections?: number;
  /** So little work for the proxy that autocannon would be the limit. */
  readonly isSmall?: boolean;
  readonly newConnections?: boolean;
  /** Needs wrk. */
  readonly isHttps?: boolean;
}

/** What a driver does for one round. */
export interface HttpRound {
  readonly port: number;
  readonly requests: readonly HttpRequest[];
  readonly connections: number;
  readonly newConnections: boolean;
  readonly isHttps: boolean;
  readonly seconds: number;
  readonly folder: string;
}

export type HttpDriver = (round: HttpRound) => Promise<Sample>;

export function httpLoad(load: HttpLoad): Load {
  return (subject, { seconds, driver, folder }) => {
    const hasWrk = driver !== 'autocannon' && commandPath('wrk') !== null;
    if (driver === 'wrk' && !hasWrk) throw new Error('wrk is not on the PATH');
    // autocannon times the request it had already sent on the connection that closes, not the next one.
    if (load.newConnections === true && !hasWrk)
      throw new Error('autocannon cannot time new connections: needs wrk');
    if (load.isHttps === true && !hasWrk) throw new Error('HTTPS is measured with wrk');
    const drive: HttpDriver = hasWrk && (driver === 'wrk' || load.isSmall === true) ? wrk : autocannon;
    return drive({
      port: subject.port,
      requests: load.requests,
      connections: load.connections ?? 64,
      newConnections: load.newConnections ?? false,
      isHttps: load.isHttps ?? false,
      seconds,
      folder,
    });
  };
}
