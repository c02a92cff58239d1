// Calls to one authority: its roots, its name, its time-outs, and what an answer may look like.

import type { Agent, IncomingMessage } from 'node:http';
import { open } from 'node:fs/promises';
import type { ResolverSettings } from '../../model/acme.ts';
import { AcmeProblem, describeProblem } from './problem.ts';
import { readAtOnce } from './shared-file.ts';

export interface CaAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** An object where the answer was JSON, else its text; empty without a body. */
  readonly data: unknown;
}

export interface CaCalls {
  /** Rejects with `AcmeProblem` for anything that is no answer or an error, but for a nonce that was refused. */
  call(call: CaCall): Promise<CaAnswer>;
  close(): void;
}

export interface CaCall {
  readonly url: string;
  readonly method: string;
  /** JSON; absent: no body. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/** Bytes: a chain takes ten thousand, a directory one thousand. */
const maxAnswerBytes = 1024 * 1024;

/** Rejects when a root certificate cannot be read. */
export async function createCaCalls(settings: ResolverSettings): Promise<CaCalls> {
  const http = await import('node:http');
  const https = await import('node:https');
  const ca = await rootsOf(settings);
  // Agents of our own: the roots of one authority are none of another's, and no proxy comes from the environment.
  const options = { keepAlive: true, maxSockets: 8, timeout: settings.clientTimeout };
  const plain = new http.Agent(options);
  const secure = new https.Agent({
    ...options,
    ...(ca === null ? {} : { ca }),
    ...(settings.caServerName === null ? {} : { servername: settings.caServerName }),
  });
  return {
    async call(call) {
      const url = urlOf(call.url, settings.caServer.startsWith('https:'));
      const isTls = url.protocol === 'https:';
      const send = isTls ? https.request : http.request;
      return readAnswer(
        await exchange(send, { ...call, url, agent: isTls ? secure : plain }, settings),
        call,
      );
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** PEM texts; null: those Node trusts. */
async function rootsOf({ caCertificates, caSystemCertPool }: ResolverSettings): Promise<string[] | null> {
  if (caCertificates.length === 0 && !caSystemCertPool) return null;
  const own = await Promise.all(
    caCertificates.map(async (one) => {
      if (one.includes('-----BEGIN')) return one;
      try {
        return await readRoot(one);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        throw new AcmeProblem(
          `the root certificate \`${one.slice(0, 200)}\` cannot be read: ${code ?? message}`,
        );
      }
    }),
  );
  if (!caSystemCertPool) return own;
  const { getCACertificates } = await import('node:tls');
  return [...own, ...getCACertificates('system')];
}

async function readRoot(path: string): Promise<string> {
  const file = await open(path, readAtOnce);
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > maxAnswerBytes)
      throw new Error(`expected a file of at most ${maxAnswerBytes} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** `isTls`: the directory was named by https, and nothing it names may be less than that. */
function urlOf(text: unknown, isTls: boolean): URL {
  const url = typeof text === 'string' ? URL.parse(text) : null;
  if (url?.protocol === 'http:' && isTls) throw new AcmeProblem('the CA names an address without TLS');
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new AcmeProblem('the CA names an address that is no URL');
}

interface Raw {
  readonly message: IncomingMessage;
  readonly text: string;
}

type Send = typeof import('node:http').request;

function exchange(
  send: Send,
  { url, method, body, agent, signal }: Omit<CaCall, 'url'> & { readonly url: URL; readonly agent: Agent },
  { clientTimeout, clientResponseHeaderTimeout }: ResolverSettings,
): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      'user-agent': 'portcullis',
      accept: '*/*',
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(payload) }),
    };
    const request = send(url, { method: method.toUpperCase(), agent, headers });
    const timers = [
      setTimeout(() => fail(noAnswer(url, clientTimeout)), clientTimeout),
      setTimeout(() => fail(noAnswer(url, clientResponseHeaderTimeout)), clientResponseHeaderTimeout),
    ];
    const aborted = (): void =>
      fail(signal.reason instanceof Error ? signal.reason : new AcmeProblem('aborted'));
    const settle = (): void => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
    };
    const fail = (error: Error): void => {
      settle();
      request.destroy();
      reject(error);
    };
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) return aborted();
    request.on('error', (error) =>
      fail(new AcmeProblem(`the CA at ${url.host} cannot be reached: ${reasonOf(error)}`)),
    );
    request.on('response', (message) => {
      clearTimeout(timers[1]);
      let text = '';
      message.setEncoding('utf8');
      message.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > maxAnswerBytes)
          fail(new AcmeProblem(`the CA's answer exceeds ${maxAnswerBytes} bytes`));
      });
      message.on('error', (error) => fail(new AcmeProblem(`the CA's answer broke off: ${reasonOf(error)}`)));
      message.on('end', () => {
        settle();
        resolve({ message, text });
      });
    });
    request.end(payload);
  });
}

function noAnswer(url: URL, ms: number): AcmeProblem {
  return new AcmeProblem(`the CA at ${url.host} did not answer within ${ms / 1000} s`);
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return error.message || error.code || 'no reason given';
}

function readAnswer({ message, text }: Raw, { url, method }: CaCall): CaAnswer {
  const status = message.statusCode ?? 0;
  const type =
    String(message.headers['content-type'] ?? '')
      .split(';', 1)[0]
      ?.trim()
      .toLowerCase() ?? '';
  const isPem = type === 'application/pem-certificate-chain';
  const host = URL.parse(url)?.host ?? '';
  const data = isPem || text === '' ? text : parsed(text);
  const retryAfter = retryAfterOf(message.headers['retry-after']);
  if (data === null) {
    throw new AcmeProblem(
      `the CA at ${host} answered ${status} with ${type || 'text'} where JSON was expected`,
      null,
      retryAfter,
    );
  }
  const answer = { status, headers: message.headers as CaAnswer['headers'], data };
  if (status >= 200 && status < 300) {
    if (text === '' && method.toLowerCase() === 'get')
      throw new AcmeProblem(`the CA at ${host} answered with nothing`);
    return answer;
  }
  const { kind, text: reason } = describeProblem(data);
  if (kind === 'badNonce') return answer;
  throw new AcmeProblem(`the CA at ${host} answered ${status}: ${reason}`, kind, retryAfter);
}

function parsed(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}

/** Seconds or a date (RFC 9110, section 10.2.3), as milliseconds from now. */
export function retryAfterOf(header: string | undefined): number | null {
  if (header === undefined) return null;
  const ms = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}
