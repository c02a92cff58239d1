// The auth server of the examples: two users, whose tokens are their names. Not for anything but trying out.

import { type Kind, headerOf, readJson, sendJson } from './http.ts';

interface User {
  readonly id: string;
  readonly role: string;
}

const users: ReadonlyMap<string, User> = new Map([
  ['ada', { id: '1', role: 'admin' }],
  ['bob', { id: '2', role: 'user' }],
]);

const questions: ReadonlySet<string> = new Set(['/verify', '/api/v1/auth/validate']);

/** The gateway's question under two names, `/asked` how often it was asked, `/auth/login` gives out tokens. */
export const auth: Kind = () => {
  let asked = 0;
  return async (request, response, url) => {
    if (url.pathname === '/health' || url.pathname === '/auth/health')
      return sendJson(response, 200, { status: 'healthy' });
    if (url.pathname === '/asked') return sendJson(response, 200, { asked });
    if (url.pathname === '/auth/login') {
      const { name } = ((await readJson(request)) ?? {}) as { name?: unknown };
      const isKnown = typeof name === 'string' && users.has(name);
      return sendJson(response, isKnown ? 200 : 401, isKnown ? { token: name } : { error: 'who?' });
    }
    if (!questions.has(url.pathname)) return sendJson(response, 404, { error: 'not found' });
    asked += 1;
    const name = /^Bearer (\w{1,64})$/.exec(headerOf(request, 'authorization') ?? '')?.[1] ?? '';
    const user = users.get(name);
    if (user === undefined)
      return sendJson(response, 401, { error: 'unauthorized' }, { 'WWW-Authenticate': 'Bearer' });
    return sendJson(
      response,
      200,
      {},
      { 'X-User-Id': user.id, 'X-User-Name': name, 'X-User-Role': user.role },
    );
  };
};
