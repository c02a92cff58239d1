// An API that says who was asked by whom, a page for administrators, one that fails now and then, one that counts.

import { type Kind, headerOf, sendJson } from './http.ts';

/** `/health`, and an answer that names the server, the path, and the user the gateway speaks of. */
export const api: Kind = (name) => (request, response, url) => {
  if (url.pathname === '/health') return sendJson(response, 200, { status: 'healthy' });
  const user = headerOf(request, 'x-user-name');
  const role = headerOf(request, 'x-user-role');
  const client = headerOf(request, 'x-forwarded-tls-client-cert-info');
  return sendJson(response, 200, {
    server: name,
    path: url.pathname,
    ...(user === null ? {} : { user, role }),
    ...(client === null ? {} : { client: decodeURIComponent(client) }),
    proto: headerOf(request, 'x-forwarded-proto'),
  });
};

/** One page, for the role `admin` alone. */
export const page: Kind = (name) => (request, response) => {
  if (headerOf(request, 'x-user-role') !== 'admin')
    return sendJson(response, 403, { error: 'administrators only' });
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><title>${name}</title><h1>Hello ${headerOf(request, 'x-user-name')}</h1>\n`);
};

/** Answers 503 to every other request but those for its health. */
export const flaky: Kind = (name) => {
  const answer = api(name);
  let asked = 0;
  return (request, response, url) => {
    if (url.pathname === '/health') return answer(request, response, url);
    asked += 1;
    if (asked % 2 === 1) return sendJson(response, 503, { error: 'not now', server: name });
    return answer(request, response, url);
  };
};

/** `/seen` tells how many other requests it has had. */
export const shadow: Kind = (name) => {
  const answer = api(name);
  let seen = 0;
  return (request, response, url) => {
    if (url.pathname === '/seen') return sendJson(response, 200, { seen });
    seen += 1;
    return answer(request, response, url);
  };
};
