// Every command line in README, CONTRIBUTING and docs/ is run, or stands below with the reason why not.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Code, at, checkout, commandsOf, readDocuments } from '../support/docs.ts';
import { furnish, hosts, startGateway, staticFile, waitFor } from '../support/docs-platform.ts';
import { type Ran, type Stage, cannotStage, openStage } from '../support/docs-stage.ts';

interface Excuse {
  readonly what: RegExp;
  readonly why: string;
}

interface Expectation {
  readonly what: RegExp;
  readonly codes: readonly number[];
  /** Anything it must print. */
  readonly says?: RegExp;
  readonly input?: string;
}

/** Commands that are not run here. One that excuses nothing is a mistake, too. */
const excuses: readonly Excuse[] = [
  { what: /^npm (ci|install|pack)\b/, why: 'fetches packages or builds; e2e/package does it' },
  { what: /^npm test\b/, why: 'is this run; the path behind it is looked for' },
  { what: /^npm run (?!--silent start)/, why: 'takes minutes or stays; the script is looked for' },
  { what: /^([A-Z_]+=\S+ )?node (--[\w-]+ )*(bench|test)\//, why: 'takes minutes; the file is looked for' },
  {
    what: /^(GRAFANA_PASSWORD=\S+ )?docker /,
    why: 'needs an engine and images; e2e/image builds and runs them',
  },
  { what: /^systemctl /, why: 'needs systemd as process 1' },
  { what: /^npx node …$|^node_modules\/\.bin\/node …$/, why: 'says how, not what' },
  { what: /^chmod 600$/, why: 'a part of a command; the whole is run elsewhere' },
  { what: /^wrk /, why: 'a load of 20 s' },
];

/** Everything else ends with 0. */
const expectations: readonly Expectation[] = [
  // The machine of the test need not be well, but must be looked at.
  { what: /\bdoctor\b/, codes: [0, 1, 2], says: /ports/ },
  // 1 when something stands in the way.
  { what: /\bmigrate\b/, codes: [0, 1], says: /carries over|in the way/i },
  // npm tells it by the signal's number, and not how its child ended.
  { what: /^npm start -- --/, codes: [0, 143] },
  { what: /\bpurge --token -/, codes: [0], input: 'some-token\n' },
];

const programs =
  'portcullis|npm|npx|node|curl|jq|cat|grep|openssl|sslscan|tar|tail|redis-cli|promtool|kill|chmod|chown|sysctl|systemctl|docker|wrk';
const isCommand = new RegExp(`^(?:[A-Z_]+=\\S+ )?(?:node_modules/\\.bin/)?(?:${programs}) \\S`);
/** `portcullis check`, `npm start` in the text: only named. */
const isNamed = /^(?:portcullis|npm start(?: --)?)(?: ([a-z]+))?$/;

let stage: Stage;
/** The process id of the gateway that runs there. */
let gateway = 0;

const skip = cannotStage();
const lines = collectLines();
const named = lines.filter(({ text }) => isNamed.test(text));
const excused = lines.filter(({ text }) => excuses.some(({ what }) => what.test(text)));
const toRun = lines.filter((line) => !excused.includes(line) && !named.includes(line));
const replacing = toRun.filter(({ text }) => text.includes('handover'));
const serving = toRun.filter(({ text }) => /^(npm start -- |portcullis )--(?!help)/.test(text));
const ending = toRun.filter(({ text }) => /^kill -(TERM|INT|QUIT) /.test(text));
const apart = [...replacing, ...serving, ...ending];
const beside = toRun.filter((line) => !apart.includes(line));
const withStaticFile = beside.filter(({ text }) => expand(text).includes('traefik.yml'));
const others = beside.filter((line) => !withStaticFile.includes(line));

before(async () => {
  if (skip !== false) return;
  stage = await openStage(hosts);
  await furnish(stage);
  gateway = await startGateway(stage);
  for (const path of ['/api/x', '/api/y', '/mcp'])
    await stage.run(`curl -s -H 'Authorization: Bearer x' http://localhost${path}`);
});
after(() => stage?.close());

// Three side by side: most of the time goes into starting Node.
describe('with flags, or against the gateway that runs', { concurrency: 3, skip }, () => {
  for (const line of others) runs(line, async (text, input) => stage.run(text, { input }));
});

describe('with traefik.yml', { concurrency: 3, skip }, () => {
  before(() => stage.write('traefik.yml', staticFile));
  after(() => stage.run('rm traefik.yml'));
  for (const line of withStaticFile) runs(line, async (text, input) => stage.run(text, { input }));
});

describe('what stays until it is ended', { skip }, () => {
  for (const line of serving)
    runs(line, async (text) => stage.run(untilItListens(text), { timeout: 60_000 }));
});

describe('what replaces the gateway', { skip }, () => {
  for (const line of replacing)
    runs(line, async (text) => {
      const before = gateway;
      const started = await stage.run(`${text} >/tmp/gateway.log 2>&1 & echo $!`);
      gateway = Number.parseInt(started.output, 10);
      await waitFor(stage, `! kill -0 ${before} 2>/dev/null`, gateway);
      return stage.run('curl -sf http://127.0.0.1:8080/ping');
    });
});

describe('what ends the gateway', { skip }, () => {
  for (const line of ending)
    runs(line, async (text) => {
      const ran = await stage.run(text);
      await stage.run(`for i in $(seq 150); do kill -0 ${gateway} 2>/dev/null || break; sleep 0.1; done`);
      assert.notEqual((await stage.run(`kill -0 ${gateway}`)).code, 0, 'it is gone');
      return ran;
    });
});

test('what is named or excused is there', () => {
  const commands = readFileSync(join(checkout, 'src/cli/dispatch.ts'), 'utf8');
  for (const line of named) {
    const name = isNamed.exec(line.text)?.[1] ?? 'run';
    assert.ok(commands.includes(`./${name}.ts`), `${at(line)}: no command ${name}`);
  }
  for (const line of excused) assertThere(line);
  for (const { what } of excuses)
    assert.ok(
      excused.some(({ text }) => what.test(text)),
      `${String(what)} excuses nothing`,
    );
});

test('nothing was left out in silence', (t) => {
  const ran = skip === false ? 'run' : 'NOT RUN';
  t.diagnostic(
    `${toRun.length} command lines ${ran}, ${named.length} only named, ${excused.length} excused:`,
  );
  for (const { what, why } of excuses)
    t.diagnostic(`${excused.filter(({ text }) => what.test(text)).length} × ${why}`);
});

/** Each text once, at its first place; walks are run by a test of their own. */
function collectLines(): readonly Code[] {
  const all = readDocuments()
    .filter(({ doc }) => !['CHANGELOG.md', 'ARCHITECTURE.md'].includes(doc))
    .flatMap(({ blocks, codes }) => [
      ...blocks
        .filter(({ language, text }) => ['', 'sh'].includes(language) && !text.startsWith('#!'))
        .filter(({ attributes }) => !attributes.has('walk'))
        .flatMap(commandsOf),
      ...codes.filter(({ text }) => isCommand.test(text) || isNamed.test(text)),
    ]);
  return [...new Map(all.toReversed().map((line) => [line.text, line])).values()].toReversed();
}

function runs(line: Code, run: (text: string, input: string) => Promise<Ran>): void {
  test(`${at(line)} ${line.text}`, async () => {
    const expected = expectations.find(({ what }) => what.test(line.text));
    const { code, output } = await run(expand(line.text), expected?.input ?? '');
    assert.ok((expected?.codes ?? [0]).includes(code), `exit code ${code}\n${output}`);
    if (expected?.says !== undefined) assert.match(output, expected.says);
  });
}

/** What stands in for something of the reader's own. */
function expand(text: string): string {
  const rest = text.includes('handover')
    ? '--configFile=/srv/gateway.yml'
    : text.includes('drain')
      ? 'mcp@file http://10.0.0.1:8000'
      : / --[\w.]+=/.test(text)
        ? ''
        : '--configFile=traefik.yml';
  const command = text
    .replaceAll(/<pid of the primary>|<pid>|\bPID\b/g, String(gateway))
    .replace(' [--background] [flags]', ' …')
    .replace(/ …$/, ` ${rest}`)
    .replace('METHOD URL', 'GET http://shop.example.com/')
    .replaceAll(/\bURL\b/g, 'http://shop.example.com/')
    .replace('FILE…', 'docker-compose.yml');
  return /\btop\b(?!.*--once)/.test(command) ? `timeout -s INT 4 ${command} || test $? -eq 124` : command;
}

/** In a network of its own; the exit code is that of its end by SIGTERM. */
function untilItListens(command: string): string {
  const port = /address=:(\d+)/.exec(command)?.[1] ?? '80';
  const script = `ip link set lo up
setsid ${command} >/tmp/served.log 2>&1 &
pid=$!
for i in $(seq 300); do curl -s -o /tmp/served.html http://127.0.0.1:${port}/ && break; kill -0 $pid || break; sleep 0.1; done
cat /tmp/served.log
/bin/kill -TERM -- -$pid
wait $pid`;
  return `unshare --net sh -c '${script.replaceAll("'", String.raw`'\''`)}'`;
}

function assertThere(line: Code): void {
  const { scripts } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
    scripts: Readonly<Record<string, string>>;
  };
  const script = /\bnpm run (?:--silent )?([\w:]+)/.exec(line.text)?.[1];
  if (script !== undefined) assert.ok(script in scripts, `${at(line)}: no script ${script}`);
  const path = /\bnpm test -- (\S+)/.exec(line.text)?.[1];
  if (path !== undefined)
    assert.ok(globSync(`test/${path}*`, { cwd: checkout }).length > 0, `${at(line)}: no test ${path}`);
  const file = /\bnode (?:--\S+ )*(\S+\.ts)/.exec(line.text)?.[1];
  if (file !== undefined) assert.ok(existsSync(join(checkout, file)), `${at(line)}: no file ${file}`);
}
