// One MCP server over streamable HTTP, as small as it gets: it gives out session ids and knows only its own.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kind, headerOf, readJson, sendJson } from './http.ts';

interface Call {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: { readonly name?: unknown };
}

/** Sessions kept; the oldest ends when one more begins. */
const maxSessions = 1_000;
const slowMs = 1_500;
const tools = ['whoami', 'slow'].map((name) => ({ name, inputSchema: { type: 'object' } }));

/** Tools: `whoami` says which server this is, `slow` does so after 1.5 s. */
export const mcp: Kind = (name) => {
  const sessions = new Set<string>();
  return async (request, response, url) => {
    if (url.pathname === '/health') return sendJson(response, 200, { status: 'healthy' });
    const session = headerOf(request, 'mcp-session-id');
    if (request.method === 'DELETE') {
      response.writeHead(session !== null && sessions.delete(session) ? 204 : 404).end();
      return;
    }
    const call = (await readJson(request)) as Call | null;
    if (request.method !== 'POST' || typeof call?.method !== 'string')
      return sendJson(response, 400, { error: 'one JSON-RPC message by POST' });
    if (call.method === 'initialize') {
      const begun = randomUUID();
      if (sessions.size >= maxSessions) sessions.delete(sessions.values().next().value as string);
      sessions.add(begun);
      const result = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name } };
      return sendJson(response, 200, { jsonrpc: '2.0', id: call.id, result }, { 'Mcp-Session-Id': begun });
    }
    if (session === null || !sessions.has(session))
      return sendJson(response, 404, { error: `${name} knows no such session` });
    if (call.params?.name === 'slow') await sleep(slowMs);
    const result = call.method === 'tools/list' ? { tools } : { content: [{ type: 'text', text: name }] };
    return sendJson(response, 200, { jsonrpc: '2.0', id: call.id, result });
  };
};
