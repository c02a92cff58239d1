// What spans say of requests and answers: the attributes of OpenTelemetry's HTTP conventions, as Traefik sets them.

import { Buffer } from 'node:buffer';
import type { TracingSettings } from '../model/tracing.ts';
import { cut, type Span } from '../observability/trace-span.ts';
import type { Exchange } from './exchange.ts';
import { getHeader } from './headers.ts';

const redacted = 'REDACTED';
/** Headers that show who somebody is, or prove it: their values stand in no span, whoever asks for it. */
const secrets: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
]);
/** Lines of one captured header. */
const maxLines = 20;

/** Of the request as the client sent it. */
export function describeServer(span: Span, x: Exchange, settings: TracingSettings): void {
  span.set('entry_point', x.entryPoint.name);
  span.set('http.request.method', x.method);
  span.set('network.protocol.version', versionOf(x.protocol));
  span.set('http.request.body.size', x.body?.length ?? (x.body === null ? 0 : -1));
  span.set('url.path', textOf(x.requestPath));
  span.set('url.query', textOf(safeQuery(x.search, settings.safeQueryParams)));
  span.set('url.scheme', x.scheme);
  span.set('user_agent.original', textOf(getHeader(x.headers, 'user-agent') ?? ''));
  span.set('server.address', textOf(x.requestAuthority));
  span.set('network.peer.address', x.peer);
  span.set('client.address', x.peer);
  capture(span, 'request', x.headers, settings.capturedRequestHeaders);
}

/** Of a request to a server; `url` is scheme, host and port. */
export function describeClient(
  span: Span,
  call: { readonly method: string; readonly url: string; readonly target: string },
  headers: readonly string[],
  settings: TracingSettings,
): void {
  const { method, url, target } = call;
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : safeQuery(target.slice(mark), settings.safeQueryParams);
  const at = url.indexOf('://');
  const scheme = url.slice(0, at);
  const host = url.slice(at + 3);
  const colon = host.lastIndexOf(':');
  const hasPort = colon !== -1 && !host.includes(']', colon);
  const address = hasPort ? host.slice(0, colon) : host;
  const port = hasPort ? Number(host.slice(colon + 1)) : scheme === 'https' ? 443 : 80;
  span.set('http.request.method', method);
  span.set('network.protocol.version', scheme === 'h2c' ? '2' : '1.1');
  span.set('url.full', textOf(`${url}${path}${query === '' ? '' : `?${query}`}`));
  span.set('url.scheme', scheme);
  span.set('user_agent.original', textOf(getHeader(headers, 'user-agent') ?? ''));
  span.set('network.peer.address', address);
  span.set('network.peer.port', port);
  span.set('server.address', address);
  span.set('server.port', port);
  capture(span, 'request', headers, settings.capturedRequestHeaders);
}

/** `firstError`: the lowest status that makes an error of the span. */
export function describeAnswer(
  span: Span,
  status: number,
  headers: readonly string[],
  { settings, firstError }: { readonly settings: TracingSettings; readonly firstError: number },
): void {
  if (status > 0) span.set('http.response.status_code', status);
  if (status < 100 || status >= firstError) span.fail(null);
  capture(span, 'response', headers, settings.capturedResponseHeaders);
}

/** Without the `?`; values are redacted unless the parameter is named, and sorted by name as Traefik has them. */
function safeQuery(search: string, safe: readonly string[]): string {
  if (search.length < 2) return '';
  const pairs = new URLSearchParams(cut(search.slice(1)));
  for (const name of new Set(pairs.keys())) if (!safe.includes(name)) pairs.set(name, redacted);
  pairs.sort();
  return pairs.toString();
}

function capture(
  span: Span,
  side: 'request' | 'response',
  headers: readonly string[],
  wanted: readonly string[],
): void {
  for (const name of wanted) {
    const values: string[] = [];
    for (let i = 0; i < headers.length && values.length < maxLines; i += 2) {
      if (headers[i] !== name) continue;
      values.push(secrets.has(name) ? redacted : cut(textOf(headers[i + 1] as string)));
    }
    if (values.length > 0) span.set(`http.${side}.header.${name}`, values);
  }
}

/** Headers and paths are kept a byte a character; what leaves is UTF-8. */
function textOf(bytes: string): string {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes.charCodeAt(i) > 0x7f) return Buffer.from(bytes, 'latin1').toString('utf8');
  }
  return bytes;
}

function versionOf(protocol: string): string {
  if (protocol === 'HTTP/2.0') return '2';
  return protocol.slice('HTTP/'.length);
}
