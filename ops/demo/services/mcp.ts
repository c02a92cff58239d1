// One MCP server over streamable HTTP: sessions by `Mcp-Session-Id`, JSON or an event stream as asked.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DemoService, HttpError, readJson, sendJson, startService } from './http.ts';

interface RpcRequest {
  readonly id?: string | number;
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

interface RpcError {
  readonly code: number;
  readonly message: string;
}

const protocolVersion = '2025-06-18';
/** Sessions kept; the oldest ends when one more starts. */
const maxSessions = 1_000;

const tools = [
  {
    name: 'list_tables',
    description: 'Names the tables of the demo database.',
    inputSchema: { type: 'object', properties: {} },
  },
  {
    name: 'count_rows',
    description: 'Counts the rows of one table.',
    inputSchema: { type: 'object', properties: { table: { type: 'string' } }, required: ['table'] },
  },
];

const rows: ReadonlyMap<string, number> = new Map([
  ['orders', 1_204],
  ['customers', 87],
]);

export function startMcpServer(name: string): Promise<DemoService> {
  const sessions = new Set<string>();

  return startService(name, async (request, response, url) => {
    if (url.pathname === '/health') return sendJson(response, 200, { status: 'healthy', service: name });
    const session = request.headers['mcp-session-id'];
    if (request.method === 'DELETE') {
      if (typeof session !== 'string' || !sessions.delete(session))
        throw new HttpError(404, 'no such session');
      response.writeHead(204).end();
      return;
    }
    // No messages are sent unasked, so there is no stream to open with GET.
    if (request.method !== 'POST') {
      return sendJson(response, 405, { error: 'POST only' }, { Allow: 'POST, DELETE' });
    }

    const message = readRpc(await readJson(request));
    if (message.method === 'initialize') return reply(request, response, message, startSession(sessions));
    if (typeof session !== 'string') throw new HttpError(400, 'Mcp-Session-Id is needed');
    if (!sessions.has(session)) throw new HttpError(404, 'no such session');
    if (message.id === undefined) {
      response.writeHead(202).end();
      return;
    }
    reply(request, response, message, session);
  });
}

function readRpc(body: unknown): RpcRequest {
  const message = body as Partial<RpcRequest> & { jsonrpc?: unknown };
  if (
    body === null ||
    typeof body !== 'object' ||
    message.jsonrpc !== '2.0' ||
    typeof message.method !== 'string'
  ) {
    throw new HttpError(400, 'one JSON-RPC 2.0 message is needed');
  }
  return message as RpcRequest;
}

function startSession(sessions: Set<string>): string {
  if (sessions.size >= maxSessions) sessions.delete(sessions.values().next().value as string);
  const session = randomUUID();
  sessions.add(session);
  return session;
}

function reply(
  request: IncomingMessage,
  response: ServerResponse,
  message: RpcRequest,
  session: string,
): void {
  const outcome = call(message);
  const body = { jsonrpc: '2.0', id: message.id ?? null, ...outcome };
  const headers = { 'Mcp-Session-Id': session };
  const wantsStream = (request.headers.accept ?? '').includes('text/event-stream');
  if (!wantsStream) return sendJson(response, 200, body, headers);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache', ...headers });
  response.end(`event: message\ndata: ${JSON.stringify(body)}\n\n`);
}

function call(message: RpcRequest): { result: unknown } | { error: RpcError } {
  switch (message.method) {
    case 'initialize':
      return {
        result: {
          protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: 'database_mcp', version: '1.0.0' },
        },
      };
    case 'ping':
      return { result: {} };
    case 'tools/list':
      return { result: { tools } };
    case 'tools/call':
      return callTool(message.params ?? {});
    default:
      return { error: { code: -32601, message: 'no such method' } };
  }
}

function callTool(params: Readonly<Record<string, unknown>>): { result: unknown } | { error: RpcError } {
  if (params['name'] === 'list_tables') return { result: textResult([...rows.keys()].join(', ')) };
  if (params['name'] !== 'count_rows') return { error: { code: -32602, message: 'no such tool' } };
  const table = (params['arguments'] as { table?: unknown } | undefined)?.table;
  const count = typeof table === 'string' ? rows.get(table) : undefined;
  return {
    result:
      count === undefined ? { ...textResult('no such table'), isError: true } : textResult(String(count)),
  };
}

function textResult(text: string): { content: readonly { type: 'text'; text: string }[] } {
  return { content: [{ type: 'text', text }] };
}
