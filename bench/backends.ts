// Origin and auth server on Node, for machines without nginx: `node bench/backends.ts ORIGIN_PORT AUTH_PORT`.

import { createServer } from 'node:http';

const [originPort, authPort] = process.argv.slice(2).map(Number);

createServer((_request, response) => response.end('ok')).listen(originPort, '127.0.0.1');
createServer((_request, response) => {
  response.writeHead(200, { 'X-User-Id': '17', 'Cache-Control': 'max-age=60', 'Content-Length': 0 });
  response.end();
}).listen(authPort, '127.0.0.1');
