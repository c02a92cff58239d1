// Each example of processes is started by the one command of its README, and every command shown there answers what is shown.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { cannotNetwork } from '../support/namespaces.ts';
import { followReadme } from '../support/example-stage.ts';
import { readReadme } from '../support/transcript.ts';

interface Static {
  readonly entryPoints: Record<string, { address: string }>;
  readonly certificatesResolvers: { readonly main: { readonly acme: Record<string, unknown> } };
}

const folder = fileURLToPath(new URL('../../examples/', import.meta.url));
const options = { skip: cannotNetwork('curl'), timeout: 150_000 };

test('single-host: an API and a page behind an auth server that is asked once', options, (context) =>
  followReadme(context, 'single-host'),
);

test('mcp-sessions: sessions stay where they began, and every user has limits', options, (context) =>
  followReadme(context, 'mcp-sessions'),
);

test('canary: a share of the traffic, copies of it, and a way back', options, (context) =>
  followReadme(context, 'canary'),
);

test('https-acme: certificates from an authority, cleartext sent on, clients with certificates', {
  ...options,
  skip: cannotNetwork('curl', 'pebble', 'pebble-challtestsrv', 'openssl'),
}, async (context) => {
  rmSync(`${folder}https-acme/state`, { recursive: true, force: true });
  context.after(() => rmSync(`${folder}https-acme/state`, { recursive: true, force: true }));
  await followReadme(context, 'https-acme');
});

test("https-acme: for Let's Encrypt nothing differs but the ports and the authority", () => {
  const [tried, real] = ['static.yml', 'lets-encrypt.yml'].map(
    (name) => parse(readFileSync(`${folder}https-acme/${name}`, 'utf8')) as Static,
  ) as [Static, Static];
  for (const [name, address] of [
    ['web', ':80'],
    ['websecure', ':443'],
  ] as const) {
    assert.equal(real.entryPoints[name]?.address, address);
    Object.assign(tried.entryPoints[name] ?? {}, { address });
  }
  delete tried.certificatesResolvers.main.acme['caServer'];
  delete tried.certificatesResolvers.main.acme['caCertificates'];
  assert.deepEqual(tried, real);
});

test('every example has a README that begins with one command', () => {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'services')
    .map(({ name }) => name);
  assert.ok(names.length >= 6);
  const overview = readFileSync(`${folder}README.md`, 'utf8');
  for (const name of names) {
    assert.ok(existsSync(`${folder}${name}/README.md`), name);
    assert.ok(overview.includes(`(${name}/)`), `${name} in the overview`);
    const { start } = readReadme(`${folder}${name}/README.md`);
    assert.doesNotMatch(start, /\n/, name);
    assert.notEqual(start, '', name);
  }
});
