// What to write instead of a label that means nothing: options on the wrong object, levels left out.

import type { Diagnostic } from '../../../model/diagnostic.ts';

const middlewareWords =
  'addprefix|basicauth|buffering|chain|circuitbreaker|compress|digestauth|errors|forwardauth|headers|inflightreq|ipallowlist|ipwhitelist|plugin|ratelimit|redirectregex|redirectscheme|replacepath|replacepathregex|retry|stripprefix|stripprefixregex';

/** Against the label in lower case; first match wins. */
const table: readonly (readonly [RegExp, string])[] = [
  [
    /^traefik\.http\.services\.[^.]+\.(loadbalancer\.)?(port|url|scheme|weight|preservepath)$/,
    'a level is missing: write traefik.http.services.<name>.loadbalancer.server.port (or .scheme, .url, .weight, .preservepath)',
  ],
  [
    /^traefik\.http\.services\.[^.]+\.(server|passhostheader|sticky|healthcheck|serverstransport|responseforwarding)(\.|$)/,
    'a level is missing: write it under traefik.http.services.<name>.loadbalancer',
  ],
  [
    /^traefik\.http\.services\.[^.]+\.loadbalancer\.backend/,
    'write traefik.http.services.<name>.loadbalancer.server.port',
  ],
  [
    /^traefik\.http\.services\.[^.]+\.(rule|entrypoints|middlewares|tls|priority|service)(\.|$)/,
    'an option of routers: write it under traefik.http.routers.<name>',
  ],
  [
    /^traefik\.http\.routers\.[^.]+\.(loadbalancer|server|port)(\.|$)/,
    'an option of services: write traefik.http.services.<name>.loadbalancer.server.port',
  ],
  [
    /^traefik\.http\.routers\.[^.]+\.max(request|response)bodybytes$/,
    'an option of the buffering middleware: write traefik.http.middlewares.<name>.buffering and list it in traefik.http.routers.<name>.middlewares',
  ],
  [
    new RegExp(`^traefik\\.http\\.routers\\.[^.]+\\.(${middlewareWords})(\\.|$)`),
    'a middleware: write traefik.http.middlewares.<name>.<kind> and list the name in traefik.http.routers.<name>.middlewares',
  ],
  [
    /^traefik\.http\.routers\.[^.]+\.(certresolver|options|domains)/,
    'a level is missing: write it under traefik.http.routers.<name>.tls',
  ],
  [
    /^traefik\.http\.routers\.[^.]+\.tls\.(middlewares|rule|service|entrypoints|priority)$/,
    'one level too deep: it stands beside tls',
  ],
  [
    /^traefik\.http\.middlewares\.[^.]+\.(rule|entrypoints|service|priority|middlewares)(\.|$)/,
    'an option of routers: write it under traefik.http.routers.<name>',
  ],
  [
    /^traefik\.http\.(routers|services|middlewares)\.[^.:= ]+\.[a-z]+: /,
    'write an equals sign between name and value, or the labels as a map: in a list a colon is part of the name',
  ],
  [
    /^traefik\.http\.routers\.[^.]+\.[^.]+\.(rule|entrypoints|middlewares|service|priority|tls)(\.|$)/,
    'a name of a router has no dots: write a dash in its place',
  ],
  [/^traefik\.http\.router\./, 'write traefik.http.routers'],
  [/^traefik\.http\.service\./, 'write traefik.http.services'],
  [/^traefik\.http\.middleware\./, 'write traefik.http.middlewares'],
];

/** An unknown key with the hint that fits labels, where there is one; anything else as it is. */
export function withLabelHint(diagnostic: Diagnostic): Diagnostic {
  const label = diagnostic.where.path?.toLowerCase();
  if (diagnostic.code !== 'config.unknown_key' || label === undefined || !label.startsWith('traefik.'))
    return diagnostic;
  const found = table.find(([pattern]) => pattern.test(label));
  return found === undefined ? diagnostic : { ...diagnostic, hint: found[1] };
}
