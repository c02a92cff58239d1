// A small server that behaves as one of the Model Context Protocol: it gives out session ids, and knows only its own.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type Origin, startOrigin } from './origin.ts';

export interface McpServer extends Origin {
  /** Ids it has given out and still knows. */
  readonly sessions: Set<string>;
}

/**
 * `initialize` without an id begins a session, named in the answer's `Mcp-Session-Id`; other calls need an id it
 * knows and are answered with `name`, 404 otherwise; DELETE ends a session.
 */
export async function startMcpServer(name: string, port = 0): Promise<McpServer> {
  const sessions = new Set<string>();
  const origin = await startOrigin({
    name,
    port,
    answer(request, response, body) {
      const id = request.headers['mcp-session-id'];
      const isInitialize = body.includes('"initialize"');
      if (id === undefined && isInitialize) {
        const made = randomUUID();
        sessions.add(made);
        response.setHeader('Mcp-Session-Id', made);
        response.end(name);
        return;
      }
      if (typeof id !== 'string' || !sessions.has(id)) {
        response.statusCode = id === undefined ? 400 : 404;
        response.end('no such session');
        return;
      }
      if (request.method === 'DELETE') {
        sessions.delete(id);
        response.statusCode = 204;
        response.end();
        return;
      }
      response.end(name);
    },
  });
  return { ...origin, sessions };
}

export interface McpAnswer {
  readonly status: number;
  readonly text: string;
  readonly id: string | null;
}

/** One call to `url`, each on a connection of its own, so that any worker may get it. */
export async function mcpCall(
  url: string,
  method: 'initialize' | 'tools/list' | 'DELETE',
  id: string | null = null,
): Promise<McpAnswer> {
  const headers: Record<string, string> = { connection: 'close' };
  if (id !== null) headers['mcp-session-id'] = id;
  const body = method === 'DELETE' ? undefined : JSON.stringify({ jsonrpc: '2.0', id: 1, method });
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(url, {
    method: method === 'DELETE' ? 'DELETE' : 'POST',
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return {
    status: response.status,
    text: await response.text(),
    id: response.headers.get('mcp-session-id'),
  };
}

export interface McpSession {
  readonly id: string;
  /** Of the server that began it. */
  readonly name: string;
}

/** Begins a session; fails when none is given. */
export async function beginSession(url: string): Promise<McpSession> {
  const { status, id, text } = await mcpCall(url, 'initialize');
  assert.equal(status, 200);
  assert.ok(id !== null);
  return { id, name: text };
}

/** All at once. */
export function beginSessions(url: string, count: number): Promise<McpSession[]> {
  return Promise.all(Array.from({ length: count }, () => beginSession(url)));
}

/** Asks in every session at once, `rounds` times: each is answered by the server that began it. */
export async function assertStay(url: string, begun: readonly McpSession[], rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const answers = await Promise.all(begun.map(({ id }) => mcpCall(url, 'tools/list', id)));
    assert.deepEqual(
      answers.map(({ status, text }) => [status, text]),
      begun.map(({ name }) => [200, name]),
    );
  }
}
