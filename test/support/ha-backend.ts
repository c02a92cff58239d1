// A server for the pair's tests, run on a host of its own: `node ha-backend.ts <name> <port>`.
// Answers with its name; `/auth` lets everybody in and counts, `/asked` says how often; a WebSocket gets back what it
// sends; `/session` gives out sessions as a server of the Model Context Protocol does, and knows only its own.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';

const [name = 'backend', port = '8000'] = process.argv.slice(2);
const sessions = new Set<string>();
let questions = 0;

const server = createServer((request, response) => {
  request.resume();
  const path = request.url ?? '';
  if (path.startsWith('/asked')) response.end(String(questions));
  else if (path.startsWith('/auth')) {
    questions += 1;
    response.setHeader('X-User-Id', '17');
    response.end();
  } else if (path.startsWith('/session')) answerSession(request, response);
  else {
    const slow = /[?&]ms=(\d{1,4})/.exec(path)?.[1] ?? '0';
    setTimeout(() => response.end(`${name} ${request.headers['x-user-id'] ?? '-'}`), Number(slow));
  }
});
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => {
  socket.on('message', (data) => socket.send(data.toString()));
  socket.on('error', () => {});
});
server.listen(Number(port), '0.0.0.0', () => process.stdout.write('listening\n'));

function answerSession(request: IncomingMessage, response: ServerResponse): void {
  const id = request.headers['mcp-session-id'];
  if (id === undefined) {
    const made = randomUUID();
    sessions.add(made);
    response.setHeader('Mcp-Session-Id', made);
  } else if (!sessions.has(String(id))) response.statusCode = 404;
  response.end(name);
}
