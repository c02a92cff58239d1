// What is written, allowed and without the effect it seems to have: told at the key itself.

import type { z } from 'zod';
import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import { definitionOf } from '../decode/layout.ts';
import { isNothing } from '../decode/values.ts';
import { noteOf } from '../static/define.ts';
import type { Tree } from '../tree.ts';
import { middlewareSchema } from './middleware-schema.ts';
import { routerSchema, serviceSchema, transportSchema } from './schema.ts';
import { child, placeOf } from './tree-access.ts';

/** Warnings of one kind in one file: a thousand servers with a path are one mistake. */
const maxOfOneKind = 20;

/** `http` is the section of a dynamic file, or of what labels became. Never an error. */
export function lintWritten(http: Tree): Diagnostic[] {
  const found = [
    ...each(http, 'middlewares').flatMap(leftOvers),
    ...each(http, 'middlewares').flatMap(poolKeys),
    ...sections.flatMap((section) => later(http, section)),
    ...each(http, 'services').flatMap(unverifiedServers),
  ];
  const counts = new Map<string, number>();
  return found.filter(({ code, message }) => {
    const kind = `${code} ${message.split(' ', 1)[0] ?? ''}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return count <= maxOfOneKind;
  });
}

/** Options of older versions that still load, below a middleware, and what to do instead. */
const sinceV3: readonly (readonly [path: readonly string[], hint: string])[] = [
  [['headers', 'sslRedirect'], 'use a redirectScheme middleware, or `http.redirections` of the entry point'],
  [['headers', 'sslTemporaryRedirect'], 'use a redirectScheme middleware without `permanent`'],
  [['headers', 'sslHost'], 'use a redirectRegex middleware'],
  [['headers', 'sslForceHost'], 'use a redirectRegex middleware'],
  [['headers', 'featurePolicy'], 'write `permissionsPolicy`'],
  [['stripPrefix', 'forceSlash'], 'delete it: the path that is left always begins with a slash'],
  [['contentType', 'autoDetect'], 'delete it: the middleware by itself detects types'],
  [
    ['forwardAuth', 'tls', 'caOptional'],
    "delete it: the auth server's certificate is verified unless `insecureSkipVerify` is set",
  ],
];

function leftOvers(middleware: Tree): Diagnostic[] {
  return sinceV3.flatMap(([path, hint]): Diagnostic[] => {
    const where = writtenAt(middleware, path);
    if (where === null) return [];
    const message = `\`${path.at(-1)}\` is accepted and has no effect since v3`;
    return [{ severity: 'warning', code: 'config.no_effect', message, where, hint }];
  });
}

/** Of a client that keeps many connections; a worker here needs one. */
const pooling = ['poolSize', 'minIdleConns', 'maxActiveConns', 'writeTimeout', 'dialTimeout'];

function poolKeys(middleware: Tree): Diagnostic[] {
  return pooling.flatMap((key): Diagnostic[] => {
    const where = writtenAt(middleware, ['rateLimit', 'redis', key]);
    if (where === null) return [];
    const message = `\`${key}\` has no effect: each worker keeps one connection, and \`readTimeout\` bounds every wait`;
    return [{ severity: 'info', code: 'config.no_effect', message, where }];
  });
}

function later(http: Tree, section: keyof typeof laterOf): Diagnostic[] {
  const paths = laterOf[section];
  if (paths.length === 0) return [];
  return each(http, section).flatMap((object) =>
    paths.flatMap((path): Diagnostic[] => {
      const where = writtenAt(object, path);
      if (where === null) return [];
      const message = `\`${path.join('.')}\` is accepted and has no effect yet`;
      return [{ severity: 'warning', code: 'config.no_effect', message, where }];
    }),
  );
}

/** Paths below one object of a section whose schema says that they have no effect in this version. */
function laterPaths(schema: z.ZodType): string[][] {
  const { shape, innerType } = definitionOf(schema);
  if (innerType !== undefined) return laterPaths(innerType);
  return Object.entries(shape ?? {}).flatMap(([key, below]) =>
    noteOf(below).status === 'later' ? [[key]] : laterPaths(below).map((path) => [key, ...path]),
  );
}

const laterOf = {
  routers: laterPaths(routerSchema),
  services: laterPaths(serviceSchema),
  middlewares: laterPaths(middlewareSchema),
  serversTransports: laterPaths(transportSchema),
} as const;

const sections = Object.keys(laterOf) as (keyof typeof laterOf)[];

/** Null: it is not written, or nothing follows it. */
function writtenAt(object: Tree, path: readonly string[]): Place | null {
  let at: Tree | null = object;
  for (const key of path) at = at === null ? null : child(at, key);
  return at === null || isNothing(at) ? null : placeOf(object, path);
}

function unverifiedServers(service: Tree): Diagnostic[] {
  const balancer = child(service, 'loadBalancer');
  if (balancer === null || child(balancer, 'serversTransport') !== null) return [];
  const server = servers(service).find(isHttps);
  if (server === undefined) return [];
  return [
    {
      severity: 'info',
      code: 'config.https_server',
      message:
        'the certificate of an https server is verified: with one of its own making requests end in 500',
      where: placeOf(server, ['url']),
      hint: 'name a serversTransport with `rootCAs` (or `insecureSkipVerify`) when it is not a public one',
    },
  ];
}

function isHttps(server: Tree): boolean {
  const url = child(server, 'url');
  return url?.kind === 'scalar' && /^https:\/\//i.test(String(url.value).trim());
}

function servers(service: Tree): readonly Tree[] {
  const balancer = child(service, 'loadBalancer');
  const list = balancer === null ? null : child(balancer, 'servers');
  if (list === null) return [];
  return list.kind === 'list'
    ? list.items
    : list.kind === 'map'
      ? [...list.entries.values()].map(({ node }) => node)
      : [];
}

function each(http: Tree, section: string): Tree[] {
  const map = child(http, section);
  return map?.kind === 'map' ? [...map.entries.values()].map(({ node }) => node) : [];
}
