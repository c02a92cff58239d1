// What is written, allowed and without the effect it seems to have: told at the key itself.

import type { Diagnostic } from '../../model/diagnostic.ts';
import { definitionOf } from '../decode/layout.ts';
import type { Tree } from '../tree.ts';
import { definitions } from './middleware-schema.ts';
import { child, placeOf } from './tree-access.ts';

/** Warnings of one kind in one file: a thousand servers with a path are one mistake. */
const maxOfOneKind = 20;

/** `http` is the section of a dynamic file, or of what labels became. Never an error. */
export function lintWritten(http: Tree): Diagnostic[] {
  const found = [
    ...each(http, 'middlewares').flatMap(effectlessHeaders),
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

/** Options of v1 and v2 that still load, and what does today what they did. */
const headersInstead: ReadonlyMap<string, string> = new Map([
  ['sslredirect', 'use a redirectScheme middleware, or `http.redirections` of the entry point'],
  ['ssltemporaryredirect', 'use a redirectScheme middleware without `permanent`'],
  ['sslhost', 'use a redirectRegex middleware'],
  ['sslforcehost', 'use a redirectRegex middleware'],
  ['featurepolicy', 'write `permissionsPolicy`'],
]);

function effectlessHeaders(middleware: Tree): Diagnostic[] {
  const headers = child(middleware, 'headers');
  const schema = definitions.get('headers')?.schema;
  if (headers?.kind !== 'map' || schema === undefined) return [];
  const known = new Set(Object.keys(definitionOf(schema).shape ?? {}).map((key) => key.toLowerCase()));
  return [...headers.entries].flatMap(([name, { key }]) => {
    const hint = headersInstead.get(name.toLowerCase());
    if (hint === undefined || !known.has(name.toLowerCase())) return [];
    const message = `\`${name}\` is accepted and has no effect since v3`;
    return [{ severity: 'warning', code: 'config.no_effect', message, where: key, hint } as const];
  });
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
