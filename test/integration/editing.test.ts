// Files that are edited under a running gateway, with the tricks of editors, tools and mounts: what was good is
// served all along, and what is written last is served soon.

import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

/** Longer than the provider's slow look at the file system takes to come round. */
const soon = 8_000;

describe('files edited under a running gateway', () => {
  const root = mkdtempSync(join(tmpdir(), 'portcullis-editing-'));
  const conf = join(root, 'conf');
  const file = join(conf, 'app.yml');
  let origin: Origin;
  let gateway: TestGateway;
  let count = 0;

  before(async () => {
    origin = await startOrigin({
      answer: (request, response) => void response.end(String(request.headers['x-edition'] ?? 'none')),
    });
    mkdirSync(conf);
    writeFileSync(file, edition('first'));
    // Beside it a file that nobody touches: its route has to be there whatever happens.
    writeFileSync(join(conf, 'steady.yml'), edition('steady', 'steady'));
    gateway = await startGateway({
      static: { providers: { providersThrottleDuration: '10ms', file: { directory: conf, watch: true } } },
    });
  });
  after(async () => {
    await gateway?.stop();
    await origin?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  function edition(name: string, host = 'app'): string {
    return `http:
  routers: {${host}: {rule: "Host(\`${host}.test\`)", service: ${host}, middlewares: [${host}]}}
  middlewares: {${host}: {headers: {customRequestHeaders: {X-Edition: ${name}}}}}
  services: {${host}: {loadBalancer: {servers: [{url: "${origin.url}"}]}}}
`;
  }

  async function served(host = 'app'): Promise<string> {
    const { status, body } = await ask(gateway.port('web'), { host: `${host}.test` });
    return status === 200 ? body : String(status);
  }

  /** Does it, then asks until the new edition is served; all that was served meanwhile. */
  async function afterEdit(edit: (text: string) => void | Promise<void>): Promise<string[]> {
    count += 1;
    const name = `edition${count}`;
    const seen = new Set<string>();
    const before = await served();
    const done = edit(edition(name));
    await eventually(
      `${name} is served`,
      async () => {
        seen.add(await served());
        assert.equal(await served('steady'), 'steady');
        return seen.has(name);
      },
      soon,
    );
    await done;
    return [...seen].filter((one) => one !== before && one !== name);
  }

  const tricks: Readonly<Record<string, (text: string) => void | Promise<void>>> = {
    'vim, which tries the directory with a file 4913 and moves the old file away': (text) => {
      writeFileSync(join(conf, '.app.yml.swp'), 'swap');
      writeFileSync(join(conf, '4913'), '');
      unlinkSync(join(conf, '4913'));
      renameSync(file, `${file}~`);
      writeFileSync(file, text);
      unlinkSync(`${file}~`);
      unlinkSync(join(conf, '.app.yml.swp'));
    },
    'sed -i': (text) => {
      const name = /X-Edition: (\w+)/.exec(text)?.[1] ?? '';
      const { status } = spawnSync('sed', ['-i', `s/X-Edition: [a-z0-9]*/X-Edition: ${name}/`, file]);
      assert.equal(status, 0);
    },
    'Emacs, which locks with a link that leads nowhere': (text) => {
      symlinkSync('somebody@somewhere.1:1', join(conf, '.#app.yml'));
      writeFileSync(join(conf, '#app.yml#'), 'half: [');
      writeFileSync(file, text);
      unlinkSync(join(conf, '#app.yml#'));
      unlinkSync(join(conf, '.#app.yml'));
    },
    'a write in place': (text) => writeFileSync(file, text),
    'a file moved over it from another directory': (text) => {
      const other = join(root, 'other.yml');
      writeFileSync(other, text);
      renameSync(other, file);
    },
    'a mount that empties the file and fills it a little later': async (text) => {
      truncateSync(file, 0);
      // How slow the mount is, and not a wait for anything.
      await new Promise((resolve) => setTimeout(resolve, 900));
      writeFileSync(file, text);
    },
    'a link to another release, swapped as a whole': (text) => {
      const release = mkdtempSync(join(root, 'release-'));
      writeFileSync(join(release, 'app.yml'), text);
      symlinkSync(join(release, 'app.yml'), join(conf, 'next'));
      renameSync(join(conf, 'next'), file);
    },
    'the release the link leads to, written in place': (text) => writeFileSync(file, text),
    'a plain file in place of the link': (text) => {
      writeFileSync(`${file}.tmp`, text);
      renameSync(`${file}.tmp`, file);
    },
    'the directory moved away and back': (text) => {
      renameSync(conf, `${conf}.away`);
      renameSync(`${conf}.away`, conf);
      writeFileSync(file, text);
    },
    'another directory in its place': (text) => {
      cpSync(conf, `${conf}.new`, { recursive: true });
      writeFileSync(join(`${conf}.new`, 'app.yml'), text);
      renameSync(conf, `${conf}.old`);
      renameSync(`${conf}.new`, conf);
      rmSync(`${conf}.old`, { recursive: true });
    },
    'a write after that': (text) => writeFileSync(file, text),
  };

  for (const [what, edit] of Object.entries(tricks)) {
    test(`${what}: the new content comes, and nothing else in between`, async () => {
      assert.deepEqual(await afterEdit(edit), []);
    });
  }

  test('a directory that is gone for a while serves what it held, and says so', async () => {
    const before = await served();
    renameSync(conf, `${conf}.away`);
    await gateway.waitForLog(/its last content stays/, soon);
    assert.equal(await served(), before);
    renameSync(`${conf}.away`, conf);
    await eventually(
      'nothing is wrong any more',
      async () => (await gateway.status()).diagnostics.length === 0,
      soon,
    );
    assert.deepEqual(await afterEdit((text) => writeFileSync(file, text)), []);
  });

  test('a mistake in the new content leaves the old in force, and mending it is enough', async () => {
    const before = await served();
    for (const broken of [
      'http: {routers: [',
      edition('no', 'app').replace('Host(', 'Hots('),
      'http:\n\troutes: x\n',
    ]) {
      writeFileSync(file, broken);
      await eventually('it is told', async () => (await gateway.status()).diagnostics.length > 0, soon);
      assert.equal(await served(), before);
      assert.deepEqual(await afterEdit((text) => writeFileSync(file, text)), []);
      writeFileSync(file, edition(before));
      await eventually('it is as before', async () => (await served()) === before, soon);
    }
  });
});

test('a volume of Kubernetes, whose every file leads through ..data, is swapped under a gateway', async () => {
  const root = mkdtempSync(join(tmpdir(), 'portcullis-volume-'));
  const origin = await startOrigin({ answer: (request, response) => void response.end(request.url) });
  const put = (name: string): void => {
    mkdirSync(join(root, name));
    const text = `http:
  routers: {app: {rule: "Host(\`app.test\`)", service: app, middlewares: [app]}}
  middlewares: {app: {addPrefix: {prefix: /${name.slice(2)}}}}
  services: {app: {loadBalancer: {servers: [{url: "${origin.url}"}]}}}
`;
    writeFileSync(join(root, name, 'app.yml'), text);
    symlinkSync(name, join(root, '..data_tmp'));
    renameSync(join(root, '..data_tmp'), join(root, '..data'));
  };
  put('..one');
  symlinkSync('..data/app.yml', join(root, 'app.yml'));
  const gateways: TestGateway[] = [];
  try {
    for (const target of [{ directory: root }, { filename: join(root, 'app.yml') }]) {
      gateways.push(
        await startGateway({
          static: { providers: { providersThrottleDuration: '10ms', file: { ...target, watch: true } } },
        }),
      );
    }
    for (const name of ['..two', '..three']) {
      put(name);
      for (const gateway of gateways) {
        await eventually(
          `${name} is served`,
          async () => (await ask(gateway.port('web'), { host: 'app.test' })).body === `/${name.slice(2)}/`,
          soon,
        );
      }
    }
    rmSync(join(root, '..one'), { recursive: true });
  } finally {
    for (const gateway of gateways) await gateway.stop();
    await origin.stop();
    rmSync(root, { recursive: true, force: true });
  }
});
