// ipAllowList: lets only listed addresses through.

import { parseIpSet } from '../../util/ip.ts';
import { buildClientIp } from '../client-ip.ts';
import { CONTINUE } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { int, list, object } from './fields.ts';
import { ipStrategy } from './ip-strategy.ts';
import { statusText } from '../status.ts';

export const ipAllowList = defineMiddleware({
  kind: 'ipAllowList',
  aliases: ['ipWhiteList'],
  summary: 'Lets only clients from the listed addresses and networks through.',
  schema: object({
    sourceRange: list
      .refine((value) => value.length > 0, 'expected at least one IP address or CIDR')
      .refine(isIpSet, 'expected IP addresses and CIDRs such as 10.0.0.0/8'),
    ipStrategy: ipStrategy.optional(),
    rejectStatusCode: int.refine(isRejection, 'expected an HTTP status such as 403').default(403),
  }),
  build(options) {
    if (options.sourceRange.length === 0)
      throw new Error('sourceRange: empty, expected at least one address');
    const allowed = parseIpSet(options.sourceRange);
    const clientIp = buildClientIp(options.ipStrategy ?? null);
    const status = options.rejectStatusCode;
    const body = statusText(status);
    return {
      request(x) {
        return allowed.has(clientIp(x)) ? CONTINUE : x.answer(status, [], body);
      },
    };
  },
});

function isRejection(status: number): boolean {
  return status >= 200 && statusText(status) !== '';
}

function isIpSet(entries: readonly string[]): boolean {
  try {
    parseIpSet(entries);
    return true;
  } catch {
    return false;
  }
}
