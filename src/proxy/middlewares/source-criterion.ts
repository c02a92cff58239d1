// Whose request it is (`sourceCriterion`): what rateLimit and inFlightReq count by.

import { hash } from 'node:crypto';
import { stateKey } from '../../state/keys.ts';
import { buildClientIp } from '../client-ip.ts';
import type { Exchange } from '../exchange.ts';
import { getHeader } from '../headers.ts';
import { bool, object, text } from './fields.ts';
import { ipStrategy } from './ip-strategy.ts';

export const sourceCriterion = object({
  ipStrategy: ipStrategy.optional(),
  requestHeaderName: text.refine(isHeaderName, 'expected the name of a header').default(''),
  requestHost: bool.default(false),
}).refine(
  ({ ipStrategy: strategy, requestHeaderName, requestHost }) =>
    Number(strategy !== undefined) + Number(requestHeaderName !== '') + Number(requestHost) <= 1,
  'ipStrategy, requestHeaderName and requestHost are mutually exclusive',
);

export interface SourceCriterion {
  readonly ipStrategy?: Parameters<typeof buildClientIp>[0] | undefined;
  readonly requestHeaderName: string;
  readonly requestHost: boolean;
}

/** A key for the state, at most 128 characters. Empty where the request has no source: all such share one. */
export type Source = (x: Exchange) => string;

/** Throws `Error` for addresses that are none. `secret` is what nodes share that count together, or empty. */
export function buildSource(
  criterion: SourceCriterion | undefined,
  otherwise: 'peer' | 'host',
  secret = '',
): Source {
  const header = criterion?.requestHeaderName.toLowerCase() ?? '';
  if (header === 'host' || criterion?.requestHost) return byHost;
  if (header !== '') return byHeader(header, hash('sha256', secret, 'base64'));
  if (criterion?.ipStrategy === undefined && otherwise === 'host') return byHost;
  const clientIp = buildClientIp(criterion?.ipStrategy ?? null);
  return (x) => stateKey(clientIp(x));
}

/** A header may hold a token, and keys are read by whoever reads Redis. The secret leads: nobody extends such a key. */
function byHeader(name: string, prefix: string): Source {
  return (x) => {
    const value = getHeader(x.headers, name);
    return value === null || value === '' ? '' : hash('sha256', prefix + value, 'base64url');
  };
}

/** Without port and in lower case: another spelling of the same host must not get a count of its own. */
function byHost(x: Exchange): string {
  return stateKey(x.host);
}

function isHeaderName(name: string): boolean {
  return name === '' || /^[!#$%&'*+.^_`|~\w-]+$/.test(name);
}
