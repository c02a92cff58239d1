// What the auth server is told about a request.

import type { Exchange } from '../../exchange.ts';
import { getHeader, joinHeader } from '../../headers.ts';
import type { ForwardAuthOptions } from './options.ts';

/** The forwarding headers that trustForwardHeader is about. */
const forwardingNames = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-uri',
  'x-forwarded-method',
  'x-forwarded-prefix',
  'x-forwarded-tls-client-cert',
  'x-forwarded-tls-client-cert-info',
  'x-real-ip',
] as const;

const neverCarried = [
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
];

/**
 * Headers that say nothing about who may do what, yet differ from request to request. A cache whose key
 * covers all that is sent does not send them: keyed they would spoil it, unkeyed they would make it lie.
 */
export const noiseNames: ReadonlySet<string> = new Set(
  [
    'user-agent accept accept-charset accept-encoding accept-language accept-datetime traceparent',
    'tracestate baggage x-request-id x-correlation-id b3 uber-trace-id x-b3-traceid x-b3-spanid',
    'x-b3-parentspanid x-b3-sampled x-b3-flags sentry-trace x-amzn-trace-id x-cloud-trace-context',
    'x-datadog-trace-id x-datadog-parent-id if-match if-none-match if-modified-since',
    'if-unmodified-since if-range range cache-control pragma dnt save-data priority purpose',
    'sec-purpose referer upgrade-insecure-requests last-event-id sec-fetch-dest sec-fetch-mode',
    'sec-fetch-site sec-fetch-user sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-websocket-key',
    'sec-websocket-version sec-websocket-extensions',
  ].flatMap((line) => line.split(' ')),
);

/** Whether the auth call is free of noise: the key then covers every header it carries. */
export function keyCoversAll(options: ForwardAuthOptions): boolean {
  return options.cache !== undefined && options.cache.key.length === 0;
}

/** Which headers the call carries and what its X-Forwarded-* say; worked out at load. */
export class AuthRequest {
  readonly #trust: boolean | undefined;
  readonly #preserveMethod: boolean;
  /** Names that are passed on; null: all but `#withheld`. */
  readonly #carried: ReadonlySet<string> | null;
  readonly #withheld: ReadonlySet<string>;

  constructor(options: ForwardAuthOptions) {
    this.#trust = options.trustForwardHeader;
    this.#preserveMethod = options.preserveRequestMethod;
    const listed = options.authRequestHeaders.map((name) => name.toLowerCase());
    const alsoForwarding = this.#trust === true ? forwardingNames : [];
    const noise = listed.length === 0 && keyCoversAll(options) ? noiseNames : [];
    const withheld = new Set([...neverCarried, ...noise, ...this.#written()]);
    this.#withheld = withheld;
    const allowed = [...listed, ...alsoForwarding].filter((name) => !withheld.has(name));
    this.#carried = listed.length === 0 ? null : new Set(allowed);
  }

  method(x: Exchange): string {
    return this.#preserveMethod ? x.method : 'GET';
  }

  /** Whether a header of the request, `name` in lower case, is passed on as it is. */
  carries(name: string): boolean {
    return this.#carried === null ? !this.#withheld.has(name) : this.#carried.has(name);
  }

  /** All headers of the call: flat name, value. */
  headers(x: Exchange): string[] {
    const sent: string[] = [];
    const { headers } = x;
    for (let i = 0; i < headers.length; i += 2) {
      if (this.carries(headers[i] as string)) sent.push(headers[i] as string, headers[i + 1] as string);
    }
    sent.push('x-forwarded-method', this.forwardedMethod(x), 'x-forwarded-proto', this.forwardedProto(x));
    sent.push('x-forwarded-host', this.forwardedHost(x), 'x-forwarded-uri', this.forwardedUri(x));
    sent.push('x-forwarded-for', this.forwardedFor(x));
    const port = this.forwardedPort(x);
    if (port !== '') sent.push('x-forwarded-port', port);
    return sent;
  }

  forwardedMethod(x: Exchange): string {
    return this.#existing(x, 'x-forwarded-method') ?? x.method;
  }

  /** Never ws or wss: auth servers build redirects of it. */
  forwardedProto(x: Exchange): string {
    const existing = this.#existing(x, 'x-forwarded-proto');
    if (existing === null) return x.scheme;
    if (existing === 'ws') return 'http';
    return existing === 'wss' ? 'https' : existing;
  }

  forwardedHost(x: Exchange): string {
    return this.#existing(x, 'x-forwarded-host') ?? x.authority;
  }

  forwardedUri(x: Exchange): string {
    return this.#existing(x, 'x-forwarded-uri') ?? x.path + x.search;
  }

  forwardedFor(x: Exchange): string {
    const existing = this.#trust === true ? joinHeader(x.headers, 'x-forwarded-for') : null;
    return existing === null || existing === '' ? x.peer : `${existing}, ${x.peer}`;
  }

  /** Empty: none is written beside what `carries` passes on. */
  forwardedPort(x: Exchange): string {
    if (this.#trust === undefined) return '';
    return this.#existing(x, 'x-forwarded-port') ?? portOf(x, this.forwardedProto(x));
  }

  #existing(x: Exchange, name: string): string | null {
    if (this.#trust !== true) return null;
    const value = getHeader(x.headers, name);
    return value === '' ? null : value;
  }

  /** Names written by `headers` itself, or dropped for good. */
  #written(): readonly string[] {
    if (this.#trust === false) return forwardingNames;
    const always = ['for', 'proto', 'host', 'uri', 'method'].map((name) => `x-forwarded-${name}`);
    return this.#trust === true ? [...always, 'x-forwarded-port'] : always;
  }
}

function portOf(x: Exchange, proto: string): string {
  const port = /:(\d{1,5})$/.exec(x.authority)?.[1];
  return port ?? (proto === 'https' ? '443' : '80');
}
