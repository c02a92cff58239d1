// What a plugin imports as `portcullis/plugin`: all it needs to define a middleware. Its types are those of `api.ts`,
// which are shipped; none of the gateway's own may show in them.

import { ANSWERED as answered, CONTINUE as continued, RETRY as retry } from '../../hooks.ts';
import type { z } from 'zod';
import type { MiddlewareDefinition } from './api.ts';

// oxlint-disable oxc/no-barrel-file -- the one door for code that is not ours
export { z } from 'zod';
export type {
  AnswerVerdict,
  BuildDeps,
  Exchange,
  HeaderList,
  Hooks,
  MiddlewareDefinition,
  RequestBody,
  RequestState,
  Verdict,
} from './api.ts';
export { appendHeader, deleteHeader, getHeader, hasHeader, setHeader } from '../../headers.ts';
export { bool, duration, int, list, object, section, text, textMap } from '../fields.ts';

/** The next middleware, or the service, gets the Exchange; on the way out: the next one outward. */
export const CONTINUE: 0 = continued;
/** `x.answer(…)` was called: nothing further in runs, the response hooks further out do. */
export const ANSWERED: 1 = answered;
/** On the way out only: the answer is dropped, and what lies further in runs once more. */
export const RETRY: 2 = retry;

/** The export of this name that the gateway looks for is `middleware`. */
export function defineMiddleware<Schema extends z.ZodType>(
  definition: MiddlewareDefinition<Schema>,
): MiddlewareDefinition<Schema> {
  return definition;
}
