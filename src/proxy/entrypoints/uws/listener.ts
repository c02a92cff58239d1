// An entry point served by uWebSockets.js.

import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import type { EntryPoint } from '../entry-point.ts';
import type { Listener, ListenerHost, ListenerPlan } from '../listener.ts';
import { uws } from './load.ts';
import { UwsRequests } from './requests.ts';
import { TlsListener } from './tls-listener.ts';

// The engine's own advertisement in every answer.
(uws as unknown as { _cfg(option: string): void })._cfg('silent');

/** What accepts connections, and what is told of changes. */
interface Front {
  readonly app: TemplatedApp;
  update(plan: ListenerPlan): void;
  close(): void;
}

/** Rejects with a message that names entry point and address. */
export function listenUws(entryPoint: EntryPoint, host: ListenerHost, plan: ListenerPlan): Promise<Listener> {
  const isTls = plan.spec.side === 'tls';
  const requests = new UwsRequests(entryPoint, host, isTls ? 'https' : 'http');
  const front = isTls ? tlsFront(plan, requests, host) : cleartextFront(requests);
  const closed = (): void => {
    front.close();
    requests.close();
  };
  return listen(entryPoint, front, closed);
}

function cleartextFront(requests: UwsRequests): Front {
  const app = uws.App();
  app.filter((res, count) => {
    requests.connected?.(count as number);
    if (count === 1) requests.peers.opened(res);
  });
  requests.register(app);
  return { app, update: () => {}, close: () => void app.close() };
}

function tlsFront(plan: ListenerPlan, requests: UwsRequests, host: ListenerHost): Front {
  const tls = new TlsListener(plan, requests, host);
  return { app: tls.acceptor, update: (next) => tls.update(next), close: () => tls.close() };
}

function listen(entryPoint: EntryPoint, front: Front, closed: () => void): Promise<Listener> {
  const { host, port, name } = entryPoint.spec;
  return new Promise((resolve, reject) => {
    const opened = (socket: us_listen_socket | false): void => {
      if (socket === false) {
        reject(
          new Error(
            `entry point "${name}" cannot listen on ${host}:${port}: the address is in use or not allowed`,
          ),
        );
        return;
      }
      let accepting = true;
      const stopAccepting = (): void => {
        if (accepting) uws.us_listen_socket_close(socket);
        accepting = false;
      };
      resolve({
        port: uws.us_socket_local_port(socket as never),
        update: (plan) => front.update(plan),
        stopAccepting,
        close: () => {
          accepting = false;
          closed();
        },
      });
    };
    if (host === '') front.app.listen(port, opened);
    else front.app.listen(host, port, opened);
  });
}
