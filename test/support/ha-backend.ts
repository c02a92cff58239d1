// A server for the pair's tests, run on a host of its own: `node ha-backend.ts <name> <port>`.
// Answers with its name; `/auth` lets everybody in; a WebSocket gets back what it sends.

import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const [name = 'backend', port = '8000'] = process.argv.slice(2);
const server = createServer((request, response) => {
  request.resume();
  if (request.url?.startsWith('/auth') === true) response.setHeader('X-User-Id', '17');
  const slow = /[?&]ms=(\d{1,4})/.exec(request.url ?? '')?.[1] ?? '0';
  setTimeout(() => response.end(`${name} ${request.headers['x-user-id'] ?? '-'}`), Number(slow));
});
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => {
  socket.on('message', (data) => socket.send(data.toString()));
  socket.on('error', () => {});
});
server.listen(Number(port), '0.0.0.0', () => process.stdout.write('listening\n'));
