// A gateway with two workers before an auth server and an origin that hold each other to account: an identity says
// for which request it was given, and the origin compares that with the request it came with.

import { type IncomingHttpHeaders, request } from 'node:http';
import type { Socket } from 'node:net';
import { startGateway, type TestGateway } from './gateway.ts';
import { type Answer, type Origin, startOrigin } from './origin.ts';

/** Of what the auth server gets to see, what also reaches the origin as it was. */
const compared: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'content-type',
  'origin',
  'x-a',
  'x-b',
  'x-api-key',
  'x-http-method-override',
]);

export interface AuthStage {
  readonly gateway: TestGateway;
  readonly auth: Origin;
  readonly origin: Origin;
  /** Identities that were given for another request than they came with. */
  readonly crossed: string[];
  /** Tokens that are refused. */
  readonly revoked: Set<string>;
  send(sent?: Partial<Sent>): Promise<Got>;
  purge(selector: object): Promise<number>;
  /** Back to where it began: nothing kept, nothing revoked, nothing seen. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export interface Sent {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
  /** The client's own address, of 127.0.0.0/8. */
  readonly from: string;
  readonly entryPoint: string;
  readonly signal: AbortSignal;
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface AuthStageOptions {
  readonly engine: 'uws' | 'node';
  /** The dynamic configuration, given where the two are. */
  readonly dynamic: (auth: string, origin: string) => object;
  readonly static?: object;
}

export async function startAuthStage(options: AuthStageOptions): Promise<AuthStage> {
  const crossed: string[] = [];
  const revoked = new Set<string>();
  const auth = await startOrigin({ answer: answerQuestion(revoked) });
  const origin = await startOrigin({
    answer(asked, response) {
      const { 'x-user-id': identity, 'x-forwarded-for': peer = '' } = asked.headers;
      const own = questionOf(asked.method ?? '', asked.headers.host ?? '', asked.url ?? '', String(peer));
      const question = own + fieldsOf(asked.rawHeaders);
      if (identity !== undefined && decode(String(identity)) !== question)
        crossed.push(`${decode(String(identity))} for ${question}`);
      response.end(identity === undefined ? 'nobody' : 'somebody');
    },
  });
  const gateway = await startGateway({
    workers: 2,
    engine: options.engine,
    dynamic: options.dynamic(auth.url, origin.url),
    ...(options.static === undefined ? {} : { static: options.static }),
  });
  const purge = async (selector: object): Promise<number> => {
    const answer = await fetch(`${gateway.url('traefik')}/api/portcullis/auth-cache/purge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(selector),
    });
    return answer.status;
  };
  return {
    gateway,
    auth,
    origin,
    crossed,
    revoked,
    purge,
    send: (sent = {}) => sendOn(gateway, sent),
    async clear() {
      auth.answerWith(answerQuestion(revoked));
      revoked.clear();
      await purge({ by: 'all' });
      for (const list of [auth.requests, origin.requests, crossed]) list.length = 0;
    },
    async stop() {
      await gateway.stop();
      await Promise.all([auth.stop(), origin.stop()]);
    },
  };
}

/** 401 to who shows nothing or a revoked token; to others an identity that names the whole question. */
export function answerQuestion(revoked: ReadonlySet<string>): Answer {
  return (asked, response) => {
    const { headers } = asked;
    const shown = headers.authorization ?? headers.cookie ?? headers['x-api-key'];
    if (shown === undefined || revoked.has(String(shown))) {
      response.statusCode = 401;
      response.end('who are you');
      return;
    }
    const of = (name: string): string => String(headers[`x-forwarded-${name}`] ?? '');
    const question = questionOf(of('method'), of('host'), of('uri'), of('for')) + fieldsOf(asked.rawHeaders);
    response.setHeader('x-user-id', Buffer.from(question, 'latin1').toString('base64url')).end();
  };
}

function questionOf(...parts: readonly [method: string, host: string, uri: string, peer: string]): string {
  return JSON.stringify(parts);
}

function fieldsOf(raw: readonly string[]): string {
  const fields: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (compared.has(name)) fields.push(name, raw[i + 1] as string);
  }
  return JSON.stringify(fields);
}

function decode(identity: string): string {
  return Buffer.from(identity, 'base64url').toString('latin1');
}

/** On a connection of its own, so that any worker may get it. */
function sendOn(gateway: TestGateway, sent: Partial<Sent>): Promise<Got> {
  const { method = 'GET', target = '/', host = 'app.test', headers = {}, body, entryPoint = 'web' } = sent;
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: gateway.port(entryPoint),
        localAddress: sent.from,
        method,
        path: target,
        headers: { host, ...headers },
        agent: false,
        signal: sent.signal,
      },
      (response) => {
        let text = '';
        response.setEncoding('latin1');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      },
    );
    asked.setTimeout(15_000, () => asked.destroy(new Error(`no answer to ${method} ${host}${target}`)));
    asked.on('error', reject);
    asked.on('upgrade', (response, socket: Socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' });
    });
    asked.end(body);
  });
}
