// headers: CORS, custom headers both ways, and the security headers.

import type { Exchange } from '../exchange.ts';
import { plainTextHeaders } from '../headers.ts';
import { CONTINUE, type Verdict } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { buildCors, type Cors } from './headers/cors.ts';
import { buildRequestEdits, buildResponseEdits, type RequestEdits } from './headers/custom.ts';
import { headersSchema, isEmpty, withoutEffect } from './headers/options.ts';
import { buildSecurity, type Security } from './headers/security.ts';

export const headers = defineMiddleware({
  kind: 'headers',
  summary: 'CORS answers, headers added to or taken from requests and responses, security headers.',
  schema: headersSchema,
  build(options, deps) {
    if (isEmpty(options)) throw new Error('headers: no option is set, expected at least one');
    for (const key of withoutEffect(options)) deps.log.warn(`${key} has no effect, as in Traefik v3`);
    const warn = (message: string): void => deps.log.warn(message);
    const cors = buildCors(options, warn);
    const requestEdits = buildRequestEdits(options.customRequestHeaders, warn);
    const responseEdits = buildResponseEdits(options.customResponseHeaders, warn);
    const security = buildSecurity(options);
    const request = requestHook(cors, requestEdits, security?.isBadHost ?? null);
    // The order is Traefik's: security over the server's headers, custom over those, CORS over all.
    const steps = [security?.response, responseEdits, cors?.response].filter((step) => step != null);
    return {
      ...(request === null ? {} : { request }),
      ...(steps.length === 0 ? {} : { response: responseHook(steps) }),
    };
  },
});

type Step = (x: Exchange) => void;

function requestHook(
  cors: Cors | null,
  edits: RequestEdits | null,
  isBadHost: Security['isBadHost'],
): ((x: Exchange) => Verdict) | null {
  if (cors === null && edits === null && isBadHost === null) return null;
  return (x) => {
    if (cors !== null && x.method === 'OPTIONS' && cors.isPreflight(x)) return cors.answerPreflight(x);
    if (edits !== null) edits(x);
    return isBadHost !== null && isBadHost(x) ? refuseHost(x) : CONTINUE;
  };
}

function refuseHost(x: Exchange): Verdict {
  return x.answer(500, plainTextHeaders(), 'Bad Host\n');
}

function responseHook(steps: readonly Step[]): Step {
  if (steps.length === 1) return steps[0] as Step;
  return (x) => {
    for (let i = 0; i < steps.length; i++) (steps[i] as Step)(x);
  };
}
