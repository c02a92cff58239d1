// Which pages may call: CORS with credentials, for gRPC-Web requests and their preflights only.

import type { Exchange } from '../../exchange.ts';
import { canonicalName, getHeader, type HeaderList } from '../../headers.ts';
import type { Verdict } from '../../hooks.ts';

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST']);
/** Seconds that a browser may remember a preflight. */
const maxAge = '600';

export class GrpcWebCors {
  readonly #origins: ReadonlySet<string>;
  readonly #isAny: boolean;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase()));
    this.#isAny = origins.includes('*');
  }

  isPreflight(x: Exchange): boolean {
    if (x.method !== 'OPTIONS' || getHeader(x.headers, 'access-control-request-method') === null)
      return false;
    const names = getHeader(x.headers, 'access-control-request-headers');
    return names?.toLowerCase().includes('x-grpc-web') ?? false;
  }

  answerPreflight(x: Exchange): Verdict {
    const headers: HeaderList = [
      'vary',
      'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    ];
    const origin = this.#allowed(x);
    const method = getHeader(x.headers, 'access-control-request-method')?.toUpperCase() ?? '';
    if (origin !== null && methods.has(method)) {
      headers.push('access-control-allow-origin', origin);
      headers.push('access-control-allow-methods', method);
      const names = getHeader(x.headers, 'access-control-request-headers') ?? '';
      headers.push('access-control-allow-headers', names);
      headers.push('access-control-allow-credentials', 'true');
      headers.push('access-control-max-age', maxAge);
    }
    return x.answer(204, headers, '');
  }

  /** To the answer of a request. */
  allow(x: Exchange): void {
    const headers = x.responseHeaders;
    const origin = this.#allowed(x);
    headers.push('vary', 'Origin');
    if (origin === null) return;
    const names = new Set<string>(['Grpc-Status', 'Grpc-Message']);
    for (let i = 0; i < headers.length; i += 2) names.add(canonicalName(headers[i] as string));
    headers.push('access-control-allow-origin', origin);
    headers.push('access-control-allow-credentials', 'true');
    headers.push('access-control-expose-headers', [...names].join(', '));
  }

  /** The request's origin when it may call, as it was written. */
  #allowed(x: Exchange): string | null {
    const origin = getHeader(x.headers, 'origin');
    if (origin === null) return null;
    return this.#isAny || this.#origins.has(origin.toLowerCase()) ? origin : null;
  }
}
