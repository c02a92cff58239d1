// What is written and has no effect is told at its key, whichever section it stands in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadDynamic } from '../../../../src/config/dynamic/load.ts';
import { parseYaml } from '../../../../src/config/sources/yaml.ts';

function warnings(text: string): string[] {
  return loadDynamic(parseYaml(text, 'a.yml').tree, 'a.yml')
    .diagnostics.filter(({ code }) => code === 'config.no_effect')
    .map(
      ({ message, where, hint }) =>
        `${where.line}:${where.path} ${message}${hint === undefined ? '' : ` (${hint})`}`,
    );
}

const left = `http:
  middlewares:
    a: { stripPrefix: { prefixes: [/a], ForceSlash: true } }
    b: { contentType: { autoDetect: true } }
    c: { forwardAuth: { address: "http://a", tls: { caOptional: true } } }
    d: { headers: { frameDeny: true, sslRedirect: true } }
`;

test('options that version 3 only takes for the sake of older files are told, with what to do', () => {
  const told = warnings(left);
  assert.equal(told.length, 4);
  assert.match(
    told[0] ?? '',
    /^3:http\.middlewares\.a\.stripPrefix\.ForceSlash .*no effect since v3 \(delete it/,
  );
  assert.match(told[1] ?? '', /^4:.*autoDetect.*delete it/);
  assert.match(told[2] ?? '', /^5:.*tls\.caOptional.*verified/);
  assert.match(told[3] ?? '', /^6:.*sslRedirect.*redirectScheme/);
});

const later = `http:
  routers:
    r: { rule: "Path(\`/\`)", service: s, observability: { metrics: false, accessLogs: false } }
  middlewares:
    m: { rateLimit: { average: 1, redis: { endpoints: [a], poolSize: 5 } } }
  serversTransports:
    t: { forwardingTimeouts: { pingTimeout: 1s } }
`;

test('options without effect in this version are told by check, not only by a running gateway', () => {
  for (const path of ['forwardingTimeouts.pingTimeout']) {
    const told = warnings(later).filter((line) => line.includes(`\`${path}\` is accepted`));
    assert.equal(told.length, 1, path);
  }
  assert.ok(!warnings(later).join().includes('accessLogs'));
  assert.equal(warnings(later).filter((line) => line.includes('rateLimit.redis.poolSize')).length, 1);
});

test('a thousand of one kind are told twenty times', () => {
  const objects = Array.from(
    { length: 1000 },
    (_, i) => `    m${i}: { rateLimit: { average: 1, redis: { poolSize: 2 } } }`,
  );
  assert.equal(warnings(`http:\n  middlewares:\n${objects.join('\n')}\n`).length, 20);
});
