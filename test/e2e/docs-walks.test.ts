// What docs/getting-started.md has its reader do, done as it stands there, one step after the other, on a bare machine.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Block, type Command, at, commandsOf, readDocuments } from '../support/docs.ts';
import { hosts, startServers } from '../support/docs-platform.ts';
import { type Stage, cannotStage, openStage } from '../support/docs-stage.ts';

const skip = cannotStage();
const blocks = readDocuments().flatMap((document) => document.blocks);
const walks = new Set(
  blocks.map(({ attributes }) => attributes.get('walk')).filter((name) => name !== undefined),
);

/** Not done here. */
const excuses = [{ what: /^docker /, why: 'needs an engine and images; e2e/image builds and runs them' }];

for (const walk of walks)
  test(`the walk ${walk} ends where it says`, { skip }, async (t) => {
    const stage = await openStage(hosts);
    t.after(() => stage.close());
    await startServers(stage);
    let done = 0;
    for (const block of blocks.filter(({ attributes }) => attributes.get('walk') === walk)) {
      const path = block.attributes.get('as');
      if (path !== undefined) await stage.write(path, block.text);
      else done += await take(stage, block);
    }
    t.diagnostic(`${done} commands`);
  });

test('walks leave nothing out in silence', (t) => {
  const commands = blocks
    .filter(({ attributes }) => attributes.has('walk') && !attributes.has('as'))
    .flatMap(commandsOf);
  for (const { what, why } of excuses)
    t.diagnostic(`${commands.filter(({ text }) => what.test(text)).length} excused: ${why}`);
});

async function take(stage: Stage, block: Block): Promise<number> {
  const commands = commandsOf(block).filter(({ text }) => !excuses.some(({ what }) => what.test(text)));
  for (const command of commands) {
    if (/^(npm start -- |portcullis )--(?!help)/.test(command.text)) await start(stage, command);
    else await ask(stage, command);
  }
  return commands.length;
}

/** Stays until the stage is closed. */
async function start(stage: Stage, { text }: Command): Promise<void> {
  await stage.run(`${text} >/tmp/started.log 2>&1 &`);
}

/** What has been saved or started just before is in force soon: 15 s at most. */
async function ask(stage: Stage, command: Command): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const { code, output } = await stage.run(command.text);
    const says = output.includes(command.comment);
    // `explain` ends with 1 where nothing answers, which may be the point.
    if (says && (code === 0 || command.comment !== '')) return;
    const log = (): string => `${at(command)} ${command.text}: exit code ${code}\n${output}`;
    if (performance.now() > deadline)
      assert.fail(`${log()}\n${(await stage.run('cat /tmp/started.log')).output}`);
    await wait(250);
  }
}
