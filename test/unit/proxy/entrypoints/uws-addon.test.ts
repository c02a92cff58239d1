// The uWebSockets.js addon: it loads on this machine, serves, and no unknown file is ever edited.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { uws } from '../../../../src/proxy/entrypoints/uws/load.ts';
import { addonBuilds, patchAddon } from '../../../../src/proxy/entrypoints/uws/patch.ts';

const folder = dirname(createRequire(import.meta.url).resolve('uWebSockets.js'));

test('the addon loads and serves a request', async () => {
  const app = uws.App();
  app.get('/*', (response) => {
    response.end('hello');
  });
  const port = await new Promise<number>((resolve, reject) => {
    app.listen('127.0.0.1', 0, (socket) => {
      if (socket) resolve(uws.us_socket_local_port(socket));
      else reject(new Error('no port'));
    });
  });
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), 'hello');
  } finally {
    app.close();
  }
});

for (const build of addonBuilds) {
  test(`the edit of ${build.file} touches a few bytes and only where expected`, () => {
    const original = readFileSync(join(folder, build.file));
    const patched = patchAddon(original, build);
    assert.equal(patched.length, original.length);
    let changed = 0;
    for (let at = 0; at < original.length; at += 1) if (original[at] !== patched[at]) changed += 1;
    // At most 4 bytes of name offset and 2 of version per symbol, and the flag.
    assert.ok(
      changed > build.symbols.length && changed <= build.symbols.length * 6 + 1,
      `${changed} bytes changed`,
    );
  });

  test(`a changed ${build.file} is refused`, () => {
    const original = readFileSync(join(folder, build.file));
    original[original.length - 1] = (original.at(-1) as number) ^ 1;
    assert.throws(() => patchAddon(original, build), /checksum/);
  });
}

test('a file that only claims the right checksum is still examined', () => {
  const build = addonBuilds[0];
  assert.ok(build);
  const original = readFileSync(join(folder, build.file));
  assert.throws(() => patchAddon(original, { ...build, symbols: build.symbols.slice(1) }), /unexpected/);
  assert.throws(
    () => patchAddon(original, { ...build, symbols: [...build.symbols, '__isoc23_x'] }),
    /missing/,
  );
});
