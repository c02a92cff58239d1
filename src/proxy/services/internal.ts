// Answers from inside the gateway: services like any other, reached through the router.

import { isIP } from 'node:net';
import type { ApiAnswer, ApiRequest } from '../../model/ipc.ts';
import type { InternalServiceSpec } from '../../model/snapshot.ts';
import { GatewayError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { getHeader, hasHeader } from '../headers.ts';
import { answer, fail } from '../pipeline.ts';
import { statusText } from '../status.ts';
import { challengeService } from './acme-challenge.ts';
import { readAnswer } from './primary-answer.ts';
import { prometheusService } from './prometheus.ts';
import type { Service } from './service.ts';

/** What the internal services ask of the gateway. */
export interface InternalFacts {
  /** Status of `/ping` now. */
  pingStatus(): number;
  readonly askPrimary: (request: ApiRequest) => Promise<ApiAnswer>;
  /** Key authorisation of a token that this node has offered to an authority. */
  readonly challengeAnswer: (token: string) => string | null;
}

/** Bytes of a request's body the API reads. */
const maxApiBody = 64 * 1024;

export function buildInternalService(spec: InternalServiceSpec, facts: InternalFacts): Service {
  const handle = handlers[spec.target](facts);
  return { name: spec.name, handle, setServerUp: () => {}, isUp: () => true };
}

const handlers = {
  ping: (facts: InternalFacts) => (x: Exchange) => {
    const status = facts.pingStatus();
    x.answer(status, [], status === 200 ? 'OK' : statusText(status));
    answer(x);
  },
  noop: () => (x: Exchange) => {
    x.answer(418, [], '');
    answer(x);
  },
  api: (facts: InternalFacts) => (x: Exchange) => askOrRefuse(x, facts, 'api'),
  dashboard: (facts: InternalFacts) => (x: Exchange) => {
    // Its links are relative, and its own path was cut off on the way here.
    const { requestPath } = x;
    if (x.path === '/' && !requestPath.endsWith('/')) {
      x.answer(302, ['location', `./${requestPath.slice(requestPath.lastIndexOf('/') + 1)}/`], '');
      answer(x);
    } else askOrRefuse(x, facts, 'dashboard');
  },
  prometheus: prometheusService,
  'acme-http': challengeService,
} as const;

function askOrRefuse(x: Exchange, facts: InternalFacts, service: 'api' | 'dashboard'): void {
  if (isFromPage(x) && !isFromDashboard(x)) {
    x.answer(403, [], statusText(403));
    answer(x);
    return;
  }
  askApi(x, facts, service).catch((error: unknown) => {
    fail(x, new GatewayError('gateway.bug', 'the API did not answer', error));
  });
}

/**
 * Browsers put Origin on whatever a page sends that is no plain reading, even to the page's own host: this
 * keeps out foreign pages, and those whose name was pointed at our address.
 */
function isFromPage(x: Exchange): boolean {
  return x.method !== 'GET' && x.method !== 'HEAD' && hasHeader(x.headers, 'origin');
}

/**
 * The dashboard itself may write: it says so in a header, which no page of another origin may send unasked, and its
 * origin is the very host that was asked. Under a name that any page could have had pointed at this address (DNS
 * rebinding) that proves nothing: the name must be one that the router's rule asks for, or no name at all.
 */
function isFromDashboard(x: Exchange): boolean {
  const origin = getHeader(x.headers, 'origin');
  if (origin === null || !hasHeader(x.headers, 'x-portcullis-dashboard')) return false;
  const site = getHeader(x.headers, 'sec-fetch-site');
  if (site !== null && site !== 'same-origin') return false;
  const at = origin.indexOf('://');
  if (at === -1 || origin.slice(at + 3).toLowerCase() !== x.requestAuthority.toLowerCase()) return false;
  return x.host === 'localhost' || isIP(x.host) !== 0 || x.route?.rule.hosts?.includes(x.host) === true;
}

async function askApi(x: Exchange, facts: InternalFacts, service: 'api' | 'dashboard'): Promise<void> {
  const body = x.body === null ? new Uint8Array(0) : await x.body.collect(maxApiBody);
  if (body === null) {
    x.answer(413, [], statusText(413));
    answer(x);
    return;
  }
  const got = await facts.askPrimary({
    method: x.method,
    target: x.path + x.search,
    contentType: getHeader(x.headers, 'content-type') ?? '',
    acceptEncoding: (getHeader(x.headers, 'accept-encoding') ?? '').slice(0, 200),
    body: Buffer.from(body).toString('utf8'),
    service,
  });
  if (x.ended) return;
  const { headers, body: told } = readAnswer(got);
  x.answer(got.status, headers, told);
  answer(x);
}
