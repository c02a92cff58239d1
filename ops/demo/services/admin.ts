// The administration page and its API: both trust the identity headers the gateway sets.

import { type DemoService, HttpError, sendJson, startService } from './http.ts';

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>omni2 administration</title>
<h1>omni2 administration</h1>
<p>This page is behind the gateway: you see it because your token was accepted.</p>
</html>
`;

/** Serves one HTML page at `/admin` and below. */
export function startAdminWeb(): Promise<DemoService> {
  return startService('admin-web', (_request, response) => {
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': Buffer.byteLength(page),
    });
    response.end(page);
  });
}

/** Serves `/admin/api/*`, to administrators only. */
export function startAdminApi(): Promise<DemoService> {
  return startService('admin-api', (request, response, url) => {
    if (url.pathname === '/health') return sendJson(response, 200, { status: 'healthy' });
    if (request.headers['x-user-role'] !== 'admin') throw new HttpError(403, 'administrators only');
    return sendJson(response, 200, {
      path: url.pathname,
      administrator: request.headers['x-user-username'],
      servers: ['database_mcp'],
    });
  });
}
