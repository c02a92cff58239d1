// A warning where passTLSClientCert can find nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lines, resolveFiles } from './support.ts';

const using = (middlewares: string): string => `http:
  services: { app: { loadBalancer: { servers: [ { url: "http://127.0.0.1:1" } ] } } }
  routers: { r: { rule: "Path(\`/\`)", service: app, middlewares: [${middlewares}] } }
  middlewares: { cert: { passTLSClientCert: { pem: true } }, other: { addPrefix: { prefix: /x } } }
`;

test('passTLSClientCert on an engine without client certificates is warned of, once and where it is used', () => {
  const said = resolveFiles({ 'a.yml': using('other, cert') });
  assert.match(lines(said.diagnostics).join('\n'), /middleware cert@file finds no certificate/);
  assert.equal(said.diagnostics.filter(({ code }) => code === 'config.no_effect').length, 1);
  assert.doesNotMatch(lines(resolveFiles({ 'a.yml': using('other') }).diagnostics).join('\n'), /certificate/);
});
