// Clients that come with the cookie they were given, and clients that have none yet.

import { request } from 'node:http';
import type { Load, Subject } from '../scenario.ts';
import { stickyCookie } from '../site.ts';
import { httpLoad } from './http.ts';

/** Visits after which both servers must have been met. */
const maxVisits = 20;
const checks = 4;

/** Every request comes with a cookie, half of them with that of one server, half with the other's. */
export function returningVisitors(path: string): Load {
  return async (subject, round) => {
    const cookies = await collectCookies(subject, path);
    const requests = cookies.map((cookie) => ({ path, headers: { Cookie: cookie } }));
    return httpLoad({ requests, isSmall: true })(subject, round);
  };
}

/** No request has a cookie, every answer sets one. */
export function firstVisits(path: string): Load {
  return httpLoad({ requests: [{ path }], isSmall: true });
}

/** One for each server. Throws when a cookie does not lead where it came from. */
async function collectCookies(subject: Subject, path: string): Promise<readonly string[]> {
  const byServer = new Map<string, string>();
  for (let visit = 0; visit < maxVisits && byServer.size < 2; visit += 1) {
    const { cookie, server } = await visitOnce(subject, path);
    if (cookie === null) throw new Error('it set no cookie');
    if (!byServer.has(server)) byServer.set(server, cookie);
  }
  if (byServer.size < 2) throw new Error('all clients were sent to one server');
  for (const [server, cookie] of byServer) {
    for (let check = 0; check < checks; check += 1) {
      const again = await visitOnce(subject, path, cookie);
      if (again.server !== server) throw new Error('its cookie does not keep a client at its server');
    }
  }
  return [...byServer.values()];
}

interface Visit {
  readonly cookie: string | null;
  readonly server: string;
}

function visitOnce(subject: Subject, path: string, cookie?: string): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const headers = { Host: 'bench', ...(cookie !== undefined && { Cookie: cookie }) };
    const sent = request({ host: '127.0.0.1', port: subject.port, path, headers, agent: false }, (answer) => {
      const set = answer.headers['set-cookie']?.find((one) => one.startsWith(`${stickyCookie}=`));
      const server = String(answer.headers['x-server'] ?? '');
      answer.resume().once('end', () => resolve({ cookie: set?.split(';')[0] ?? null, server }));
    });
    sent.once('error', reject).end();
  });
}
