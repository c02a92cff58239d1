// Keys that people really write and that are none: `check` says what, where and what to write instead.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checked } from './support.ts';

type Row = readonly [key: string, input: Readonly<Record<string, string>> | readonly string[], told: RegExp];

const dynamic = (text: string): Record<string, string> => ({ 'dynamic.yml': text });
const fixed = (text: string): Record<string, string> => ({ 'traefik.yml': text });
const labelled = (...labels: string[]): Record<string, string> => ({
  'compose.yml': `services:\n  app:\n    image: app\n    expose: [80]\n    labels:\n      - "traefik.enable=true"\n${labels.map((label) => `      - ${JSON.stringify(label)}\n`).join('')}`,
});
const web = 'entryPoints:\n  web:\n    address: ":80"\n';

const rows: readonly Row[] = [
  [
    'flag providers.docker.swarmMode, even when false',
    ['--providers.docker.swarmMode=false'],
    /swarmMode` no longer exists.*delete the option/s,
  ],
  [
    'flag providers.docker.swarmmode',
    ['--providers.docker.swarmmode=true'],
    /swarmMode` no longer exists.*delete the option/s,
  ],
  [
    'static entryPoints.*.redirect',
    fixed(`${web}    redirect: {entryPoint: https}\n`),
    /unknown key `redirect`.*http\.redirections\.entryPoint\.to/s,
  ],
  ['static entryPoints.*.tls', fixed(`${web}    tls: {}\n`), /unknown key `tls`.*`http\.tls`/s],
  ['static entryPoints.*.auth', fixed(`${web}    auth: {basic: {}}\n`), /unknown key `auth`.*basicAuth/s],
  ['static api.address', fixed('api: {address: ":8080"}\n'), /unknown key `address`.*api\.insecure/s],
  [
    'static api.entryPoint',
    fixed('api: {entryPoint: traefik}\n'),
    /unknown key `entryPoint`.*api\.insecure/s,
  ],
  [
    'static api.entrypoint',
    fixed('api: {entrypoint: traefik}\n'),
    /unknown key `entrypoint`.*api\.insecure/s,
  ],
  [
    'static providers.docker.swarmMode',
    fixed('providers: {docker: {swarmMode: false}}\n'),
    /swarmMode` no longer exists.*delete/s,
  ],
  [
    'static providers.docker.swarmModeRefreshSeconds',
    fixed('providers: {docker: {swarmModeRefreshSeconds: 15}}\n'),
    /swarmModeRefreshSeconds` no longer exists.*delete/s,
  ],
  [
    'dynamic tls.options.*.sslProtocols',
    dynamic('tls: {options: {default: {sslProtocols: [TLSv1.2]}}}\n'),
    /unknown key `sslProtocols`.*minVersion/s,
  ],
  ['flag pilot', ['--pilot.token=x'], /`pilot` no longer exists.*delete the section/s],
  [
    'dynamic middlewares.*.accessLog',
    dynamic('http: {middlewares: {m: {accessLog: {}}}}\n'),
    /unknown key `accessLog`.*observability\.accessLogs/s,
  ],
  [
    'static experimental.http3',
    fixed('experimental: {http3: true}\n'),
    /experimental\.http3` no longer exists.*delete/s,
  ],
  [
    'label headers.accessControlAllowOrigin',
    labelled('traefik.http.middlewares.m.headers.accessControlAllowOrigin=*'),
    /unknown key `accessControlAllowOrigin`.*accessControlAllowOriginList/s,
  ],
  ['flag experimental.hub', ['--experimental.hub=true'], /experimental\.hub` no longer exists.*delete/s],
  ['flag hub', ['--hub'], /`hub` no longer exists.*delete/s],
  ['flag tracing.datadog', ['--tracing.datadog=true'], /tracing\.datadog` no longer exists.*tracing\.otlp/s],
  [
    'dynamic retry.maxInterval',
    dynamic('http: {middlewares: {m: {retry: {attempts: 2, maxInterval: 1s}}}}\n'),
    /maxInterval`.*initialInterval|kind retry is not supported/s,
  ],
  [
    'dynamic retry.multiplier',
    dynamic('http: {middlewares: {m: {retry: {attempts: 2, multiplier: 2}}}}\n'),
    /multiplier`.*initialInterval|kind retry is not supported/s,
  ],
  [
    'dynamic stripPrefixRegex given a list',
    dynamic('http: {middlewares: {m: {stripPrefixRegex: ["/a"]}}}\n'),
    /write the list under `regex`|kind stripPrefixRegex is not supported/s,
  ],
  [
    'dynamic stripPrefix given a list',
    dynamic('http: {middlewares: {m: {stripPrefix: ["/a"]}}}\n'),
    /write the list under `prefixes`/,
  ],
  [
    'dynamic excludedContentTypes beside compress',
    dynamic('http: {middlewares: {m: {compress: {}, excludedContentTypes: [a]}}}\n'),
    /excludedContentTypes`.*indent it under `compress`|kind compress is not supported/s,
  ],
  [
    'dynamic tls.domains',
    dynamic('tls: {domains: [{main: a}]}\n'),
    /unknown key `domains`.*http\.routers\.<name>\.tls\.domains/s,
  ],
  [
    'dynamic compress.minLength',
    dynamic('http: {middlewares: {m: {compress: {minLength: 2}}}}\n'),
    /minLength`.*minResponseBodyBytes|kind compress is not supported/s,
  ],
  [
    'dynamic healthCheck.retries',
    dynamic(
      'http: {services: {s: {loadBalancer: {servers: [{url: "http://a"}], healthCheck: {path: /, retries: 3}}}}}\n',
    ),
    /unknown key `retries`.*write `fall`/s,
  ],
  [
    'dynamic services.*.circuitBreaker',
    dynamic('http: {services: {s: {circuitBreaker: {expression: x}}}}\n'),
    /unknown key `circuitBreaker`.*http\.middlewares/s,
  ],
  ['dynamic http.tcp', dynamic('http: {tcp: {}}\n'), /unknown key "tcp" under http.*beside http/s],
  ['dynamic http.udp', dynamic('http: {udp: {}}\n'), /unknown key "udp" under http.*beside http/s],
  [
    'static providers.kubernetes',
    fixed('providers: {kubernetes: {}}\n'),
    /providers\.kubernetes` no longer exists.*kubernetesIngress/s,
  ],
  [
    'static tracing.jaeger',
    fixed('tracing: {jaeger: {samplingServerURL: x}}\n'),
    /tracing\.jaeger` no longer exists.*tracing\.otlp/s,
  ],
  [
    'static tracing.spanNameLimit',
    fixed('tracing: {spanNameLimit: 150}\n'),
    /spanNameLimit` no longer exists.*delete/s,
  ],
  [
    'static entryPoints.*.http.tls.minVersion',
    fixed(`${web}    http: {tls: {minVersion: VersionTLS12}}\n`),
    /unknown key `minVersion`.*tls\.options\.<name>/s,
  ],
  [
    'label loadbalancer.backend',
    labelled('traefik.http.services.s.loadbalancer.backend=x'),
    /unknown key `backend`.*loadbalancer\.server\.port/s,
  ],
  [
    'label routers.*.maxRequestBodyBytes',
    labelled('traefik.http.routers.r.maxRequestBodyBytes=1'),
    /unknown key `maxRequestBodyBytes`.*buffering middleware/s,
  ],
  [
    'label routers.*.maxResponseBodyBytes',
    labelled('traefik.http.routers.r.maxResponseBodyBytes=1'),
    /unknown key `maxResponseBodyBytes`.*buffering middleware/s,
  ],
  [
    'dynamic routers.*.tls.middlewares',
    dynamic('http: {routers: {r: {rule: "Host(`a`)", tls: {middlewares: a}}}}\n'),
    /unknown key `middlewares`.*one level too far/s,
  ],
  [
    'dynamic routers.*.services',
    dynamic('http: {routers: {r: {rule: "Host(`a`)", services: a}}}\n'),
    /unknown key `services`.*did you mean `service`/s,
  ],
  [
    'static serversTransport.forwarder',
    fixed('serversTransport: {forwarder: x}\n'),
    /unknown key `forwarder`.*delete it/s,
  ],
];

describe('a key that is none of the configuration’s is named, with its place and what to write instead', () => {
  for (const [key, input, told] of rows) {
    test(key, async (context) => {
      const { code, out } = await checked(context, input);
      assert.match(out, told);
      assert.match(out, Array.isArray(input) ? /--\w+/ : /\.yml:\d+:\d+/);
      assert.equal(code, 1);
    });
  }
});

/** What the reference drops without a word. */
const dropped: readonly (readonly [string, RegExp])[] = [
  ['acme', /certificatesResolvers\.<name>\.acme/],
  ['constraints', /providers\.docker\.constraints/],
  ['debug', /log\.level/],
  ['defaultentrypoints', /asDefault: true/],
  ['docker', /under `providers`/],
  ['file', /under `providers`/],
  ['healthcheck', /loadBalancer\.healthCheck/],
  ['http', /file of the file provider/],
  ['insecureskipverify', /serversTransport\.insecureSkipVerify/],
  ['loglevel', /log\.level/],
  ['logs', /log\.level/],
  ['pilot', /no longer exists/],
  ['provider', /did you mean `providers`/],
  ['retry', /http\.middlewares/],
  ['servertransport', /write `serversTransport`/],
  ['tls', /file of the file provider/],
  ['traefiklog', /log\.level/],
];

describe('an unknown root key of a static file is told, though Traefik drops it without a word', () => {
  for (const [key, told] of dropped) {
    test(key, async (context) => {
      const { out } = await checked(context, fixed(`log: {level: INFO}\n${key}: {a: b}\n`));
      assert.match(out, new RegExp(`traefik\\.yml:2:1 \\w+ .*\`${key}\``));
      assert.match(out, told);
    });
  }
});
