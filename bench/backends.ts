// Origin and auth server on Node: `node bench/backends.ts ORIGIN_PORT AUTH_PORT TWIN_PORT`. Takes uploads, echoes sockets.

import { createServer, type RequestListener } from 'node:http';
import { WebSocketServer } from 'ws';

const [originPort, authPort, twinPort] = process.argv.slice(2).map(Number);
const bodies: Readonly<Record<string, Buffer>> = {
  '/bodies/64k': Buffer.alloc(65_536, 'x'),
  '/bodies/10m': Buffer.alloc(10_485_760, 'x'),
};

const answer: RequestListener = (request, response) => {
  response.setHeader('X-Server', String(request.socket.localPort));
  // The whole request first: an answer ahead of its body would end the upload.
  request.resume().once('end', () => response.end(bodies[request.url ?? ''] ?? 'ok'));
};
const origin = createServer({ keepAliveTimeout: 600_000 }, answer);
const sockets = new WebSocketServer({ server: origin, perMessageDeflate: false });
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on('error', () => socket.terminate());
});
origin.listen({ port: originPort, host: '127.0.0.1', backlog: 4_096 });
createServer({ keepAliveTimeout: 600_000 }, answer).listen({
  port: twinPort,
  host: '127.0.0.1',
  backlog: 4_096,
});

createServer({ keepAliveTimeout: 600_000 }, (_request, response) => {
  response.writeHead(200, { 'X-User-Id': '17', 'Cache-Control': 'max-age=600', 'Content-Length': 0 });
  response.end();
}).listen({ port: authPort, host: '127.0.0.1', backlog: 4_096 });
