// Static configuration that cannot work: the gateway does not start, and says where and why.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { runCommand, startGateway } from '../support/gateway.ts';

const dir = mkdtempSync(join(tmpdir(), 'portcullis-bad-'));
after(() => rmSync(dir, { recursive: true, force: true }));

describe('the gateway does not start', { timeout: 60_000 }, () => {
  test('on a port that is taken, and names entry point and port', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    try {
      const { code, output } = await runCommand([`--entrypoints.front.address=127.0.0.1:${port}`]);
      assert.equal(code, 1, output);
      assert.match(
        output,
        new RegExp(`entry point front cannot listen on 127\\.0\\.0\\.1:${port}: .*in use`),
      );
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
  });

  test('on the port of another gateway, which goes on', async () => {
    const gateway = await startGateway();
    try {
      const port = gateway.port('web');
      const { code, output } = await runCommand([`--entrypoints.front.address=127.0.0.1:${port}`]);
      assert.equal(code, 1, output);
      assert.match(output, new RegExp(`front.*:${port}`));
      assert.equal((await fetch(gateway.url('web'))).status, 404);
    } finally {
      await gateway.stop();
    }
  });

  test('with a flag nobody knows, and names the nearest', async () => {
    for (const [flag, hint] of [
      ['--entrypoint.web.address=:0', 'entryPoints'],
      ['--entrypoints.web.adress=:0', 'address'],
      ['--providers.file.filname=x.yml', 'filename'],
      ['--log.leval=INFO', 'level'],
    ] as const) {
      const { code, output } = await runCommand([flag]);
      assert.equal(code, 1, output);
      assert.ok(output.includes(flag.split('=')[0] as string), output);
      assert.match(output, new RegExp(`did you mean .${hint}`), output);
    }
  });

  test('with broken YAML or TOML, and names file and line', async () => {
    for (const [name, text, line] of [
      ['broken.yml', 'entryPoints:\n  web: {address: ":0"\nlog: {}\n', 3],
      ['tabs.yml', 'entryPoints:\n\tweb: {}\n', 2],
      ['broken.toml', '[entryPoints.web]\naddress = ":0\n', 2],
    ] as const) {
      const { code, output } = await runCommand([`--configFile=${file(name, text)}`]);
      assert.equal(code, 1, output);
      assert.match(output, new RegExp(`${name}:${line}:\\d+ error`), output);
    }
  });

  test('with a key nobody knows below a known one', async () => {
    const path = file('nested.yml', 'entryPoints:\n  web:\n    address: ":0"\n    htttp: {}\n');
    const { code, output } = await runCommand([`--configFile=${path}`]);
    assert.equal(code, 1, output);
    assert.match(output, /nested\.yml:4:5 error unknown key `htttp` in `entryPoints\.web`/);
    assert.match(output, /did you mean `http`\?/);
  });

  test('with values that mean nothing', async () => {
    for (const [flag, what] of [
      ['--entrypoints.web.address=nowhere', /address/],
      ['--entrypoints.web.address=:99999', /address|port/],
      ['--entrypoints.web.transport.respondingTimeouts.readTimeout=5parsecs', /readTimeout/i],
      ['--log.level=LOUD', /log\.level/],
      ['--workers=0', /workers/],
      ['--workers=many', /workers/],
    ] as const) {
      const { code, output } = await runCommand([flag]);
      assert.equal(code, 1, `${flag}: ${output}`);
      assert.match(output, what);
    }
  });

  test('with a configuration file that is not there or is no file', async () => {
    const missing = await runCommand([`--configFile=${join(dir, 'nowhere.yml')}`]);
    assert.equal(missing.code, 1);
    assert.match(missing.output, /nowhere\.yml error the configuration file does not exist/);
    const folder = await runCommand([`--configFile=${dir}`]);
    assert.equal(folder.code, 1);
    assert.match(folder.output, /cannot be read/);
  });
});

test('a top-level key nobody knows is warned of, and the gateway starts', { timeout: 30_000 }, async () => {
  const gateway = await startGateway({ static: { provider: {} } });
  try {
    assert.match(gateway.logs(), /static\.yml:1:\d+: unknown key `provider`.*did you mean `providers`/);
    const { diagnostics } = await gateway.status();
    assert.ok(
      diagnostics.some(({ severity, message }) => severity === 'warning' && message.includes('`provider`')),
    );
  } finally {
    await gateway.stop();
  }
});

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}
