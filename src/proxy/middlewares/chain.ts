// chain: several middlewares under one name. It is inlined before a router is built.

import { defineMiddleware } from './define.ts';
import { list, object } from './fields.ts';

export const chain = defineMiddleware({
  kind: 'chain',
  summary: 'Puts several middlewares, in order, under one name.',
  schema: object({ middlewares: list.default([]) }),
  build() {
    throw new Error('a chain stands for its members and is never built itself');
  },
});
