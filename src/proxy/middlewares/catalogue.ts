// Every middleware there is: schemas, labels, documentation and metrics labels all come from this list.

import { addPrefix } from './add-prefix.ts';
import { basicAuth } from './basic-auth.ts';
import { buffering } from './buffering.ts';
import { chain } from './chain.ts';
import { circuitBreaker } from './circuit-breaker.ts';
import { compress } from './compress.ts';
import type { MiddlewareDefinition } from './define.ts';
import { contentType } from './content-type.ts';
import { digestAuth } from './digest-auth.ts';
import { encodedCharacters } from './encoded-characters.ts';
import { errors } from './errors.ts';
import { forwardAuth } from './forward-auth.ts';
import { grpcWeb } from './grpc-web.ts';
import { headers } from './headers.ts';
import { inFlightReq } from './in-flight-req.ts';
import { ipAllowList } from './ip-allow-list.ts';
import { jwt } from './jwt.ts';
import { passTLSClientCert } from './pass-tls-client-cert.ts';
import { plugin } from './plugin.ts';
import { rateLimit } from './rate-limit.ts';
import { redirectRegex } from './redirect-regex.ts';
import { redirectScheme } from './redirect-scheme.ts';
import { replacePath } from './replace-path.ts';
import { replacePathRegex } from './replace-path-regex.ts';
import { retry } from './retry.ts';
import { stripPrefix } from './strip-prefix.ts';
import { stripPrefixRegex } from './strip-prefix-regex.ts';

/** In the alphabet's order of `kind`. */
export const catalogue: readonly MiddlewareDefinition[] = [
  addPrefix,
  basicAuth,
  buffering,
  chain,
  circuitBreaker,
  compress,
  contentType,
  digestAuth,
  encodedCharacters,
  errors,
  forwardAuth,
  grpcWeb,
  headers,
  inFlightReq,
  ipAllowList,
  jwt,
  passTLSClientCert,
  plugin,
  rateLimit,
  redirectRegex,
  redirectScheme,
  replacePath,
  replacePathRegex,
  retry,
  stripPrefix,
  stripPrefixRegex,
];

/** By kind or alias in any case; null when there is none of that name. */
export function findMiddleware(kind: string): MiddlewareDefinition | null {
  return byName.get(kind.toLowerCase()) ?? null;
}

const byName: ReadonlyMap<string, MiddlewareDefinition> = indexByName();

function indexByName(): Map<string, MiddlewareDefinition> {
  const index = new Map<string, MiddlewareDefinition>();
  for (const definition of catalogue) {
    for (const name of [definition.kind, ...(definition.aliases ?? [])])
      index.set(name.toLowerCase(), definition);
  }
  return index;
}
