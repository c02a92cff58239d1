// The schema of `ipStrategy`, shared by every middleware that asks who the client is.

import { int, list, section } from './fields.ts';

export const ipStrategy = section({
  depth: int.refine((value) => value >= 0, 'expected 0 or more').default(0),
  excludedIPs: list.default([]),
  ipv6Subnet: int
    .refine((value) => value >= 1 && value <= 128, 'expected a prefix length from 1 to 128')
    .optional(),
});
