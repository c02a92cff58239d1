// Every key of the headers middleware.

import type { z } from 'zod';
import { bool, int, list, object, secret, text, textMap } from '../fields.ts';
import { headerName, headerValue } from '../header-text.ts';
import { isRegexp } from '../regexp-text.ts';

const headerMap = textMap.superRefine((map, context) => {
  for (const [name, value] of Object.entries(map)) {
    // Worded so that the value is not shown with it: it may be a secret.
    if (!isHeaderName(name))
      context.addIssue({ code: 'custom', message: 'the key is not the name of a header', path: [name] });
    else if (!isHeaderValue(value))
      context.addIssue({ code: 'custom', message: 'the value holds a control character', path: [name] });
  }
});

const regexpList = list.superRefine((patterns, context) => {
  for (const pattern of patterns) isRegexp(pattern, context);
});

const headerText = text
  .refine((value) => isHeaderValue(value), 'expected a header value without control characters')
  .default('');

export const headersSchema = object({
  customRequestHeaders: secret(headerMap.default({}), 'request-headers'),
  customResponseHeaders: secret(headerMap.default({}), 'response-headers'),
  accessControlAllowCredentials: bool.default(false),
  accessControlAllowHeaders: list.default([]),
  accessControlAllowMethods: list.default([]),
  accessControlAllowOriginList: list.default([]),
  accessControlAllowOriginListRegex: regexpList.default([]),
  accessControlExposeHeaders: list.default([]),
  accessControlMaxAge: int.optional(),
  addVaryHeader: bool.default(false),
  allowedHosts: list.default([]),
  hostsProxyHeaders: list.default([]),
  sslProxyHeaders: secret(headerMap.default({}), 'request-headers'),
  stsSeconds: int.refine((value) => value >= 0, 'expected 0 or more seconds').default(0),
  stsIncludeSubdomains: bool.default(false),
  stsPreload: bool.default(false),
  forceSTSHeader: bool.default(false),
  frameDeny: bool.default(false),
  customFrameOptionsValue: headerText,
  contentTypeNosniff: bool.default(false),
  browserXssFilter: bool.default(false),
  customBrowserXSSValue: headerText,
  contentSecurityPolicy: headerText,
  contentSecurityPolicyReportOnly: headerText,
  publicKey: headerText,
  referrerPolicy: headerText,
  permissionsPolicy: headerText,
  isDevelopment: bool.default(false),
  // Taken so that older configurations load; no release of Traefik v3 acts on them.
  featurePolicy: text.optional(),
  sslRedirect: bool.optional(),
  sslTemporaryRedirect: bool.optional(),
  sslHost: text.optional(),
  sslForceHost: bool.optional(),
});

export type HeadersOptions = z.output<typeof headersSchema>;

const effectless = [
  'featurePolicy',
  'sslRedirect',
  'sslTemporaryRedirect',
  'sslHost',
  'sslForceHost',
] as const;

/** Nothing is written but defaults: Traefik takes such a middleware for a mistake. */
export function isEmpty(options: HeadersOptions): boolean {
  // The one number whose 0 says something.
  return options.accessControlMaxAge === undefined && Object.values(options).every(isUnset);
}

/** Keys that are written but do nothing. */
export function withoutEffect(options: HeadersOptions): readonly string[] {
  return effectless.filter((key) => options[key] !== undefined);
}

function isUnset(value: unknown): boolean {
  if (value === undefined || value === false || value === '' || value === 0) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function isHeaderName(name: string): boolean {
  try {
    headerName(name, '');
    return true;
  } catch {
    return false;
  }
}

function isHeaderValue(value: string): boolean {
  try {
    headerValue(value, '');
    return true;
  } catch {
    return false;
  }
}
