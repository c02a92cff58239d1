// What to write instead of a key nobody knows: left-overs of older versions, keys in the wrong place,
// and for everything else the nearest key there is.

import { distance } from 'fastest-levenshtein';

/** First match wins; the path ends in the unknown key, names of a user's own stand as `*`. */
const known: readonly (readonly [RegExp, string])[] = [
  [/^pilot(\.|$)/, 'Pilot was removed in v3: delete the section'],
  [/^(experimental\.)?hub(\.|$)/, 'Hub was removed in v3: delete the section'],
  [/^experimental\.http3$/, 'HTTP/3 is no experiment any more: it was `entryPoints.<name>.http3` from v3 on'],
  [
    /^providers\.docker\.swarmmode/,
    'Swarm became a provider of its own in v3 (`providers.swarm`): delete the option, even when it is false',
  ],
  [/^providers\.(marathon|rancher)(\.|$)/, 'this provider was removed in v3'],
  [/^providers\.kubernetes$/, 'v1 name: it became `providers.kubernetesIngress`'],
  [
    /\.tls\.caoptional$/,
    '`caOptional` was removed in v3: delete it; client certificates are set in `tls.options.<name>.clientAuth`',
  ],
  [
    /^tracing\.(jaeger|zipkin|datadog|instana|haystack|elastic|spannamelimit)$/,
    'removed in v3: tracing goes through `tracing.otlp`',
  ],
  [/^metrics\.influxdb$/, 'removed in v3: use `metrics.influxDB2`'],
  [/^entrypoints\.[^.]+\.redirect$/, 'v1 form: write `http.redirections.entryPoint.to`'],
  [/^entrypoints\.[^.]+\.tls$/, 'v1 form: write `http.tls` one level deeper'],
  [
    /^entrypoints\.[^.]+\.auth$/,
    'v1 form: make a `basicAuth` or `forwardAuth` middleware and name it in `http.middlewares`',
  ],
  [
    /^entrypoints\.[^.]+\.http\.tls\.(minversion|maxversion|ciphersuites|sslprotocols)$/,
    'a TLS option: it belongs to `tls.options.<name>` of the dynamic configuration, named here as `options`',
  ],
  [/^entrypoints\.[^.]+\.middlewares$/, 'write it under `http`: `entryPoints.<name>.http.middlewares`'],
  [/^entrypoints\.[^.]+\.maxheaderbytes$/, 'write it under `http`: `entryPoints.<name>.http.maxHeaderBytes`'],
  [
    /^entrypoints\.[^.]+\.transport\.maxresponseheaderbytes$/,
    'no such option; the limit of request heads is `entryPoints.<name>.http.maxHeaderBytes`',
  ],
  [
    /^api\.(address|entrypoint)$/,
    'v1 form: `api.insecure` serves it on the entry point `traefik`, or write a router to `api@internal`',
  ],
  [/^(docker|file|consul|etcd)$/, 'v1 form: write it under `providers`'],
  [/^acme$/, 'v1 form: write `certificatesResolvers.<name>.acme`'],
  [/^(loglevel|debug|logs|traefiklog)$/, 'write `log.level`'],
  [/^defaultentrypoints$/, 'v1 form: set `asDefault: true` on the entry points'],
  [/^insecureskipverify$/, 'write `serversTransport.insecureSkipVerify`'],
  [/^servertransport$/, 'write `serversTransport`'],
  [/^constraints$/, 'write `providers.docker.constraints`'],
  [/^retry$/, 'a middleware since v2: put it into `http.middlewares` of the dynamic configuration'],
  [
    /^healthcheck$/,
    'servers are checked in `http.services.<name>.loadBalancer.healthCheck` of the dynamic configuration; the gateway itself answers with `ping`',
  ],
  [
    /^(tls|tcp|udp|http\.routers|http)$/,
    'dynamic configuration is not read from here: put it into a file of the file provider',
  ],
  [
    /^serverstransport\.forwarder$/,
    'no such option: delete it; what servers are asked with stands beside it',
  ],
  [/^http\.(tcp|udp)$/, 'indented one level too far: it stands at the top level'],
  [/^http\.middlewares\.[^.]+\.headers\.accesscontrolalloworigin$/, 'write `accessControlAllowOriginList`'],
  [/^http\.middlewares\.[^.]+\.compress\.minlength$/, 'write `minResponseBodyBytes`'],
  [
    /^http\.middlewares\.[^.]+\.(excludedcontenttypes|includedcontenttypes|minresponsebodybytes)$/,
    'indent it under `compress`',
  ],
  [
    /^http\.middlewares\.[^.]+\.accesslog$/,
    'no middleware: access logs are the static section `accessLog`, or `observability.accessLogs` of a router',
  ],
  [
    /^http\.middlewares\.[^.]+\.retry\.(maxinterval|multiplier)$/,
    'no such option: `attempts` and `initialInterval` are all there is to set',
  ],
  [
    /^http\.middlewares\.[^.]+\.plugin\.[^.]+$/,
    "no plugin of this name is declared in the static configuration: `plugins.<name>.module` names a module of one's own; Traefik's plugins are Go and do not run here",
  ],
  [
    /^http\.services\.[^.]+\.circuitbreaker$/,
    'a middleware: put it into `http.middlewares` and name it in the router',
  ],
  [
    /^http\.services\.[^.]+\.loadbalancer\.server$/,
    'the form of labels: in a file write `servers` with one `url` each',
  ],
  [/^http\.services\.[^.]+\.loadbalancer\.backend$/, 'write `servers` with one `url` each'],
  [
    /^http\.services\.[^.]+\.loadbalancer\.healthcheck\.retries$/,
    'write `fall`: probes in a row that take a server out',
  ],
  [/^http\.routers\.[^.]+\.max(request|response)bodybytes$/, 'an option of the `buffering` middleware'],
  [
    /^http\.routers\.[^.]+\.tls\.middlewares$/,
    'indented one level too far: `middlewares` stands beside `tls`',
  ],
  [/^tls\.domains$/, 'belongs to a router: `http.routers.<name>.tls.domains`'],
  [/^tls\.options\.[^.]+\.sslprotocols$/, 'write `minVersion` and `maxVersion`'],
];

/** A sentence for the hint, or null when nothing comes near. `path` is the parent's, canonical. */
export function unknownKeyHint(path: string, written: string, candidates: readonly string[]): string | null {
  const full = (path === '' ? written : `${path}.${written}`).toLowerCase();
  for (const [pattern, sentence] of known) if (pattern.test(full)) return sentence;
  const near = nearest(written, candidates);
  return near === null ? null : `did you mean \`${near}\`?`;
}

/** The candidate with the fewest differing letters: two or a third of them at most, one in very short words. */
export function nearest(written: string, candidates: readonly string[]): string | null {
  // The distance is quadratic: a very long key is no typo.
  if (written.length > 64) return null;
  let best: string | null = null;
  let bestDistance = (written.length <= 3 ? 1 : Math.max(2, Math.floor(written.length / 3))) + 1;
  for (const candidate of candidates) {
    const apart = distance(written.toLowerCase(), candidate.toLowerCase());
    if (apart < bestDistance) {
      best = candidate;
      bestDistance = apart;
    }
  }
  return best;
}
