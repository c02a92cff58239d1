// What people really write and a reader easily gets wrong: `check` reads it as it is meant, or says what it is.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checked } from './support.ts';

type Row = readonly [habit: string, files: Readonly<Record<string, string>>, told: RegExp, code?: number];

const rule = 'traefik.http.routers.r.rule';
const gateway = `  gate:
    image: traefik:v3.7
    command: ["--entrypoints.web.address=:80", "--entrypoints.websecure.address=:443", "--providers.docker"]
`;

/** A gateway and one service with these labels; `$` is compose's. */
function labelled(labels: readonly string[], more = ''): Record<string, string> {
  const list = labels.map((label) => `      - ${JSON.stringify(label)}\n`).join('');
  return {
    'compose.yml': `name: shop\nservices:\n${gateway}  app:\n    image: app\n    expose: [8080, 3000]\n${more}    labels:\n${list}`,
  };
}

const dynamic = (text: string): Record<string, string> => ({ 'dynamic.yml': text });
const routerOf = (written: string): Record<string, string> =>
  dynamic(
    `http:\n  routers:\n    r: {rule: ${JSON.stringify(written)}, service: s}\n  services:\n    s: {loadBalancer: {servers: [{url: "http://a:1"}]}}\n`,
  );
const serverOf = (url: string): Record<string, string> =>
  dynamic(`http:\n  services:\n    s: {loadBalancer: {servers: [{url: "${url}"}]}}\n`);

const rows: readonly Row[] = [
  [
    'a label of a list with a colon where the equals sign belongs',
    labelled([`${rule}: Host(\`a\`)`]),
    /unknown key `rule: Host\(`a`\)`.*hint: write an equals sign between name and value/s,
    1,
  ],
  [
    'a name of a router with a dot',
    labelled(['traefik.http.routers.my.app.rule=Host(`a`)', `${rule}=Host(\`b\`)`]),
    /unknown key `app` in `http\.routers\.my`.*hint: a name of a router has no dots/s,
    1,
  ],
  [
    'one server written where the list of servers belongs',
    dynamic('http:\n  services:\n    s: {loadBalancer: {servers: {url: "http://a:1"}}}\n'),
    /`servers` is not a list.*hint: each of its items begins with a dash/s,
    1,
  ],
  [
    'router, no port label: the lowest exposed port is there',
    labelled([`${rule}=Host(\`a\`)`]),
    /r@docker .*Host\(`a`\) .*app-shop@docker/,
    0,
  ],
  [
    'router, no port label and nothing exposed: told, since only the engine knows',
    { 'compose.yml': `services:\n${gateway}  app:\n    image: app\n    labels: ["${rule}=Host(\`a\`)"]\n` },
    /compose\.yml:\d+:\d+ warning the port of app is not written.*server\.port/s,
    0,
  ],
  [
    'mixed case in keys',
    labelled(['traefik.HTTP.Routers.MyApp.Rule=Host(`a`)', 'traefik.http.routers.myapp.entryPoints=web']),
    /MyApp@docker +web +Host/,
    0,
  ],
  [
    '`$$` in hashes and regexes',
    labelled([`${rule}=HostRegexp(\`^a.+$$\`)`]),
    /HostRegexp\(`\^a\.\+\$`\)/,
    0,
  ],
  [
    'TCP routers',
    labelled(['traefik.tcp.routers.t.rule=HostSNI(`*`)', `${rule}=Host(\`a\`)`]),
    /compose\.yml:\d+:\d+ error TCP routers and services are not supported/,
    1,
  ],
  [
    'UDP routers',
    labelled(['traefik.udp.routers.u.entrypoints=dns', `${rule}=Host(\`a\`)`]),
    /compose\.yml:\d+:\d+ error UDP routers and services are not supported/,
    1,
  ],
  [
    'router without a rule gets the default rule',
    labelled(['traefik.http.routers.r.tls.domains[0].main=a.b', 'traefik.http.routers.r.entrypoints=web']),
    /r@docker .*Host\(`app-shop`\)/,
    0,
  ],
  [
    'labels as a map, with booleans and numbers',
    {
      'compose.yml': `services:\n${gateway}  app:\n    image: app\n    labels:\n      traefik.enable: true\n      traefik.http.services.s.loadbalancer.server.port: 8080\n      ${rule}: Host(\`a\`)\n`,
    },
    /r@docker +web,websecure +Host\(`a`\) +s@docker/,
    0,
  ],
  [
    'labels as a map: keys are not interpolated',
    {
      'compose.yml': `services:\n${gateway}  app:\n    image: app\n    labels:\n      traefik.http.routers.\${NAME}.rule: Host(\`a\`)\n`,
    },
    /compose\.yml:\d+:7 warning .*no variables into the keys of a map.*as a list/s,
  ],
  [
    'the catch-all of v2',
    routerOf('HostRegexp(`{host:.+}`)'),
    /dynamic\.yml:3:\d+ warning .*v2 form.*\^\.\+\$/,
    0,
  ],
  ['a named part of a host, from v2', routerOf('HostRegexp(`{sub:[a-z]+}.a.b`)'), /v2 form/, 0],
  ['traefik.port', labelled(['traefik.port=80']), /label of version 1.*server\.port/s],
  [
    'traefik.frontend.rule',
    labelled(['traefik.frontend.rule=Host:a.b']),
    /label of version 1.*routers\.<name>\.rule/s,
  ],
  ['traefik.backend', labelled(['traefik.backend=app']), /label of version 1.*loadbalancer/s],
  [
    'traefik.passHostHeader',
    labelled(['traefik.passHostHeader=true']),
    /label of version 1.*passhostheader/s,
  ],
  [
    'traefik.entryPoints.…',
    labelled(['traefik.entryPoints.web.address=:80']),
    /version 1.*static configuration/s,
  ],
  [
    'traefik.constraint-label',
    labelled(['traefik.constraint-label=public', `${rule}=Host(\`a\`)`]),
    /compose\.yml:\d+:\d+ info this label is read by nobody/,
    0,
  ],
  [
    'labels of v1 beside those of today',
    labelled(['traefik.frontend.rule=Host:a.b', `${rule}=Host(\`a\`)`]),
    /label of version 1.*r@docker/s,
    0,
  ],
  [
    'a plugin',
    dynamic('http:\n  middlewares:\n    m: {plugin: {crowdsec: {enabled: true}}}\n'),
    /dynamic\.yml:3:\d+ error unknown key `crowdsec`.*no plugin of this name.*do not run here/s,
    1,
  ],
  [
    'labels under deploy',
    {
      'compose.yml': `services:\n${gateway}  app:\n    image: app\n    deploy:\n      labels:\n        - "${rule}=Host(\`a\`)"\n`,
    },
    /compose\.yml:8:7 warning labels under `deploy` are for Swarm.*services\.app\.labels/s,
  ],
  [
    'labels of the swarm provider',
    labelled(['traefik.swarm.network=x', `${rule}=Host(\`a\`)`]),
    /error Swarm is not supported.*traefik\.docker\.network/s,
    1,
  ],
  [
    'headers.sslRedirect',
    labelled(['traefik.http.middlewares.m.headers.sslRedirect=true', `${rule}=Host(\`a\`)`]),
    /compose\.yml:\d+:\d+ warning `sslRedirect` is accepted and has no effect.*redirectScheme/s,
    0,
  ],
  [
    'headers.sslHost',
    dynamic('http: {middlewares: {m: {headers: {sslHost: a}}}}\n'),
    /`sslHost` is accepted and has no effect/,
  ],
  [
    'headers.featurePolicy',
    dynamic('http: {middlewares: {m: {headers: {featurePolicy: a}}}}\n'),
    /`featurePolicy` is .*no effect.*permissionsPolicy/s,
  ],
  [
    'a variable in the name of a list label',
    { '.env': 'NAME=blog\n', ...labelled(['traefik.http.routers.${NAME}.rule=Host(`${NAME}.a`)']) },
    /blog@docker .*Host\(`blog\.a`\)/,
    0,
  ],
  [
    'several hosts in one matcher',
    routerOf('Host(`a`,`b`)'),
    /dynamic\.yml:3:\d+ error .*takes 1 argument.*write Host\(`a`\) \|\| Host\(`b`\)/s,
    1,
  ],
  [
    'several prefixes in one matcher',
    routerOf('PathPrefix(`/a`, `/b`)'),
    /write PathPrefix\(`\/a`\) \|\| PathPrefix\(`\/b`\)/,
    1,
  ],
  [
    'https:// servers',
    serverOf('https://10.0.0.1'),
    /dynamic\.yml:3:\d+ info the certificate of an https server is verified.*serversTransport/s,
    0,
  ],
  [
    'one label twice with different values',
    labelled([
      `${rule}=Host(\`a\`)`,
      'traefik.http.routers.r.entrypoints=web',
      'traefik.http.routers.r.entrypoints=websecure',
    ]),
    /compose\.yml:\d+:9 warning the label .*twice with different values.*see compose\.yml:\d+:9.*r@docker +websecure/s,
    0,
  ],
  ['only traefik.enable=true', labelled(['traefik.enable=true']), /app-shop@docker .*Host\(`app-shop`\)/, 0],
  [
    'ipWhiteList',
    labelled(['traefik.http.middlewares.m.ipwhitelist.sourcerange=127.0.0.1', `${rule}=Host(\`a\`)`]),
    /ipWhiteList is deprecated and means ipAllowList/,
    0,
  ],
  [
    'tls=false beside other tls keys',
    labelled([
      `${rule}=Host(\`a\`)`,
      'traefik.http.routers.r.tls=false',
      'traefik.http.routers.r.tls.certresolver=le',
    ]),
    /r@docker +web,websecure +Host/,
    0,
  ],
  [
    'a template in a dynamic file',
    dynamic('http:\n  middlewares:\n    m: {addPrefix: {prefix: "/{{ env "NOBODY" }}x"}}\n'),
    /0 errors/,
    0,
  ],
  [
    '`{{` escaped in a template',
    dynamic('http:\n  middlewares:\n    m: {headers: {customRequestHeaders: {X: "{{`{{ a }}`}}"}}}\n'),
    /0 errors/,
    0,
  ],
  ['a lone dollar sign', labelled([`${rule}=HostRegexp(\`^a$\`)`]), /HostRegexp\(`\^a\$`\)/, 0],
  [
    'tls: {}',
    dynamic('http: {routers: {r: {rule: "Host(`a`)", service: api@internal, tls: {}}}}\n'),
    /^(?!.*has nothing after it)/s,
  ],
  [
    'tls: with nothing after it',
    dynamic('http: {routers: {r: {rule: "Host(`a`)", service: api@internal, tls: }}}\n'),
    /`http\.routers\.r\.tls` has nothing after it.*write `tls: \{\}`/s,
  ],
  [
    'only middleware labels',
    labelled(['traefik.http.middlewares.m.addprefix.prefix=/x']),
    /app-shop@docker .*Host\(`app-shop`\)/,
    0,
  ],
  ['Headers(…)', routerOf('Headers(`a`,`b`)'), /unknown matcher Headers.*Header\(/s, 1],
  ['HostHeader(…)', routerOf('HostHeader(`a`)'), /unknown matcher HostHeader.*Host\(/s, 1],
  [
    'a router that is only switched on',
    labelled(['traefik.http.routers.x=true', `${rule}=Host(\`a\`)`]),
    /x@docker .*Host\(`app-shop`\)/,
    0,
  ],
  [
    'a service of another container',
    {
      'compose.yml': `services:\n${gateway}  one:\n    image: a\n    expose: [80]\n    labels: ["traefik.http.routers.r.rule=Host(\`a\`)", "traefik.http.routers.r.service=two"]\n  other:\n    image: a\n    expose: [80]\n    labels: ["traefik.http.services.two.loadbalancer.server.port=80"]\n`,
    },
    /r@docker .*two@docker/,
    0,
  ],
  [
    'blanks in a comma list',
    labelled([`${rule}=Host(\`a\`)`, 'traefik.http.routers.r.entrypoints=web, websecure']),
    /r@docker +web,websecure/,
    0,
  ],
  [
    'one text where a list is due',
    dynamic(
      'http: {routers: {r: {rule: "Host(`a`)", entryPoints: web, middlewares: "a@file", service: s}}, middlewares: {a: {addPrefix: {prefix: /x}}}, services: {s: {loadBalancer: {servers: [{url: "http://a:1"}]}}}}\n',
    ),
    /0 errors/,
    0,
  ],
  [
    'a server URL with a path',
    serverOf('http://10.0.0.1/admin'),
    /dynamic\.yml:3:\d+ warning service s@file: the path \/admin of .* has no effect without preservePath/,
    0,
  ],
  ['a double-quoted argument', routerOf('Host("a.b")'), /0 errors/, 0],
  ['an argument without quotes', routerOf('Host(a.b)'), /put arguments in back-quotes: `a\.b`/, 1],
  ['HostSNI(*) in an HTTP router', routerOf('HostSNI(*)'), /error/, 1],
  ['lower-case host(', routerOf('host(`a`)'), /0 errors/, 0],
  ['lower-case hostregexp(', routerOf('hostregexp(`^a$`)'), /0 errors/, 0],
  [
    'a path without a leading slash',
    routerOf('Path(`host/api`)'),
    /does not start with a slash.*write Path\(`\/host\/api`\)/s,
    1,
  ],
  ['Host(`*.x`) is one label', routerOf('Host(`*.x.y`)'), /0 errors, 0 warnings/, 0],
  ['a placeholder of stars', routerOf('Host(`***FQDN***`)'), /never matches/, 0],
  [
    'a template with an unknown function',
    dynamic('http:\n  middlewares:\n    m: {headers: {customRequestHeaders: {X: "{{ generateUUID }}"}}}\n'),
    /dynamic\.yml:3:?\d* error .*template/,
    1,
  ],
  [
    'a template with a field',
    dynamic('http:\n  middlewares:\n    m: {headers: {customRequestHeaders: {X: "{{ .RequestID }}"}}}\n'),
    /dynamic\.yml:3:?\d* error .*template/,
    1,
  ],
  ['a server URL without a scheme', serverOf('10.0.0.1:80'), /expected a URL with a scheme/, 1],
  ['a placeholder as a server URL', serverOf('http://<IP>:80'), /expected a host name or an IP address/, 1],
  [
    'a label that gets its `=` from a variable',
    {
      '.env': 'TLS_CONFIG=entrypoints=websecure\n',
      ...labelled([`${rule}=Host(\`a\`)`, 'traefik.http.routers.r.${TLS_CONFIG}']),
    },
    /r@docker +websecure/,
    0,
  ],
  [
    'a default within a default',
    { '.env': 'B=shop.test\n', ...labelled([`${rule}=Host(\`\${A:-x.\${B}}\`)`]) },
    /Host\(`x\.shop\.test`\)/,
    0,
  ],
  [
    'a variable that is not set',
    labelled([`${rule}=Host(\`\${NOBODY}.a\`)`]),
    /compose\.yml:\d+:9 warning the variable NOBODY is not set/,
  ],
  [
    'a variable that must be set',
    labelled([`${rule}=Host(\`\${NOBODY:?say where}.a\`)`]),
    /error the variable NOBODY is required and not set: say where/,
    1,
  ],
  [
    'two services on one container and a router without one',
    labelled([
      `${rule}=Host(\`a\`)`,
      'traefik.http.services.one.loadbalancer.server.port=1',
      'traefik.http.services.two.loadbalancer.server.port=2',
    ]),
    /compose\.yml:\d+:\d+ error .*service/,
    1,
  ],
  [
    'quotes kept in the value of a map',
    {
      'compose.yml': `services:\n${gateway}  app:\n    image: app\n    expose: [80]\n    labels:\n      traefik.http.middlewares.m.headers.accesscontrolallowmethods: '"GET, OPTIONS"'\n`,
    },
    /compose\.yml:\d+:\d+ warning the value stands in double quotes, which are part of it.*remove/s,
    0,
  ],
  [
    'traefik.enabled',
    labelled(['traefik.enabled=true']),
    /compose\.yml:\d+:\d+ error unknown label `traefik\.enabled`.*did you mean `traefik\.enable`/s,
    1,
  ],
  [
    'two middleware types under one name',
    labelled([
      'traefik.http.middlewares.m.addprefix.prefix=/x',
      'traefik.http.middlewares.m.stripprefix.prefixes=/y',
      `${rule}=Host(\`a\`)`,
    ]),
    /error .*multi-types.*its own name/s,
    1,
  ],
  [
    '`extends` is named as not followed',
    {
      'compose.yml': `services:\n${gateway}  app:\n    extends: {file: base.yml, service: app}\n    labels: ["traefik.enable=false"]\n`,
    },
    /compose\.yml:6:5 warning `extends` of the service app is not followed.*docker compose config/s,
    0,
  ],
  [
    '`include` is named as not followed',
    { 'compose.yml': `include: [other.yml]\nservices:\n${gateway}` },
    /compose\.yml:1:1 warning `include` is not followed/,
    0,
  ],
  [
    'a gateway that does not read containers',
    {
      'compose.yml': `services:\n  gate:\n    image: traefik\n    command: ["--entrypoints.web.address=:80"]\n  app:\n    image: app\n    labels: ["${rule}=Host(\`a\`)"]\n`,
    },
    /compose\.yml:2:3 warning gate does not read containers.*--providers\.docker=true/s,
    0,
  ],
];

describe('what is written in the wild', () => {
  for (const [habit, files, told, code] of rows) {
    test(habit, async (context) => {
      const named = Object.fromEntries(Object.entries(files).filter(([name]) => name !== '.env'));
      const found = await checked(context, named, files);
      assert.match(found.out, told);
      if (code !== undefined) assert.equal(found.code, code, found.out);
    });
  }
});
