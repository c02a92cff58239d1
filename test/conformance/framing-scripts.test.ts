// Runs the scripts of `vtc/`: client and server in one file, by a tool that knows nothing of us.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { freePorts, startGateway, type TestGateway } from '../support/gateway.ts';

const folder = fileURLToPath(new URL('./vtc/', import.meta.url));
const isMissing = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',').includes('varnishtest');

describe('scripts of varnishtest', { skip: isMissing && 'needs varnishtest' }, () => {
  let gateway: TestGateway;
  let origin = '';
  before(async () => {
    const [port] = await freePorts(1);
    origin = `127.0.0.1:${port}`;
    gateway = await startGateway({
      static: { entryPoints: { uws: { engine: 'uws' }, node: { engine: 'node' } } },
      dynamic: {
        http: {
          routers: { all: { rule: 'PathPrefix(`/`)', service: 'script', entryPoints: ['uws', 'node'] } },
          services: { script: { loadBalancer: { servers: [{ url: `http://${origin}` }] } } },
        },
      },
    });
  });
  after(() => gateway?.stop());

  for (const file of readdirSync(folder).sort()) {
    const [, title = file] = /^varnishtest "(.*)"/.exec(readFileSync(`${folder}${file}`, 'utf8')) ?? [];
    for (const engine of ['uws', 'node']) {
      test(`${title} (${engine}, ${file})`, async () => {
        const { code, output } = await run(`${folder}${file}`, {
          door: `127.0.0.1:${gateway.port(engine)}`,
          origin,
        });
        assert.equal(code, 0, output);
      });
    }
  }
});

/** Runs one script with these macros. */
async function run(
  file: string,
  macros: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const given = Object.entries(macros).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
  const child = spawn('varnishtest', ['-t', '20', ...given, file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}
