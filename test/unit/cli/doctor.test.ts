// `doctor`: each finding with its level and what to do; exit code; nothing secret; never long.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { examine } from '../../../src/cli/doctor/finding.ts';
import { asText } from '../../../src/cli/doctor/print.ts';
import { makeAuthority } from '../../support/pki.ts';
import { call, folder } from './support.ts';

interface Told {
  readonly code: number;
  readonly out: string;
  /** `level says → fix` of an area. */
  of(area: string): string[];
}

async function doctor(cwd: string, ...flags: string[]): Promise<Told> {
  const { code, out, err } = await call(cwd, ['doctor', '--json', ...flags]);
  assert.equal(err, '');
  const { findings } = JSON.parse(out) as {
    findings: { area: string; level: string; says: string; fix?: string }[];
  };
  const of = (area: string): string[] =>
    findings
      .filter((finding) => finding.area === area)
      .map(({ level, says, fix }) => `${level} ${says}${fix === undefined ? '' : ` → ${fix}`}`);
  return { code, out, of };
}

/** Closed with the test. */
async function listen(context: TestContext, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('without a configuration it says so, and looks at the machine all the same', async (context) => {
  const { code, of } = await doctor(folder(context, {}));
  assert.ok(code < 2);
  assert.match(of('program')[0] ?? '', /^ok Node 24\..*uWebSockets\.js/);
  assert.match(of('configuration')[0] ?? '', /^info none is given/);
  assert.deepEqual([of('docker'), of('redis'), of('certificates')], [[], [], []]);
});

test('a mistake in the configuration is an error with its place, exit code 2', async (context) => {
  const cwd = folder(context, { 'd.yml': 'http:\n  routers:\n    a: {rule: "Path(`/`)", service: no}\n' });
  const { code, of } = await doctor(
    cwd,
    '--entrypoints.web.address=:0',
    `--providers.file.filename=${cwd}/d.yml`,
  );
  assert.equal(code, 2);
  assert.match(
    of('configuration')[0] ?? '',
    /^error 1 error, 0 warnings; first: .*d\.yml:3:\d+: .*`portcullis check`/,
  );
  assert.match(of('file watches')[0] ?? '', /^ok .*d\.yml is watched/);
});

test('a port that somebody has is an error that names the process', async (context) => {
  const port = await listen(context, () => {});
  const { code, of } = await doctor(folder(context, {}), `--entrypoints.web.address=127.0.0.1:${port}`);
  assert.equal(code, 2);
  assert.match(
    of('ports')[0] ?? '',
    new RegExp(
      `^error entry point web cannot listen on 127\\.0\\.0\\.1:${port}: .*in use, by .* \\(pid ${process.pid}\\) → stop `,
    ),
  );
});

test('a free port is well, an address of elsewhere is not', async (context) => {
  const cwd = folder(context, {});
  const { of } = await doctor(
    cwd,
    '--entrypoints.a.address=127.0.0.1:1',
    '--entrypoints.b.address=192.0.2.1:81',
  );
  assert.match(of('ports').join('\n'), /^(?:ok free: a 127\.0\.0\.1:1|error .*1: no permission)/);
  assert.match(
    of('ports').join('\n'),
    /error .*b cannot listen on 192\.0\.2\.1:81: this machine does not have that address → .*ip_nonlocal_bind/,
  );
});

test('Docker without a socket is an error with a hint', async (context) => {
  const { code, of } = await doctor(
    folder(context, {}),
    '--entrypoints.web.address=:0',
    '--providers.docker.endpoint=unix:///nowhere/docker.sock',
  );
  assert.equal(code, 2);
  assert.deepEqual(of('docker'), [
    'error unix:///nowhere/docker.sock: there is no socket: /nowhere/docker.sock → start the engine, or mount its socket',
  ]);
});

test('Redis that nobody runs, or that says no, is told without the password', async (context) => {
  const cwd = folder(context, {});
  const none = await doctor(cwd, '--entrypoints.web.address=:0', '--state.redis.endpoints=127.0.0.1:1');
  assert.equal(none.code, 2);
  assert.match(none.of('redis')[0] ?? '', /^error 127\.0\.0\.1:1: nobody listens there → start Redis/);
  const port = await listen(context, (socket) =>
    socket.on(
      'data',
      (data) => void socket.write(`-WRONGPASS ${String(data).replaceAll(/[\r\n]/g, ' ')}\r\n`),
    ),
  );
  const refused = await doctor(
    cwd,
    '--entrypoints.web.address=:0',
    `--state.redis.endpoints=127.0.0.1:${port}`,
    '--state.redis.password=hush',
  );
  assert.match(
    refused.of('redis')[0] ?? '',
    /does not let the gateway in \(WRONGPASS\) → `state\.redis\.username`/,
  );
  assert.doesNotMatch(refused.out, /hush/);
});

test('a server that repeats what AUTH was given is not repeated', async (context) => {
  const port = await listen(context, (socket) =>
    socket.on(
      'data',
      () => void socket.write('-ERR unknown command `AUTH`, with args beginning with: `hush`\r\n'),
    ),
  );
  const { out, of } = await doctor(
    folder(context, {}),
    '--entrypoints.web.address=:0',
    `--state.redis.endpoints=127.0.0.1:${port}`,
    '--state.redis.password=hush',
  );
  assert.match(of('redis')[0] ?? '', /^error .* does not let the gateway in \(ERR\)/);
  assert.doesNotMatch(out, /hush/);
});

test('what is no Redis is not taken for one', async (context) => {
  for (const answer of ['HTTP/1.1 400 Bad Request\r\n\r\n', '*-1\r\n']) {
    const port = await listen(context, (socket) => socket.on('data', () => void socket.write(answer)));
    const { of } = await doctor(
      folder(context, {}),
      '--entrypoints.web.address=:0',
      `--state.redis.endpoints=127.0.0.1:${port}`,
    );
    assert.match(of('redis')[0] ?? '', /^error .*: what answers there is no Redis/, answer);
  }
});

test('a slow Redis whose clock is another is both', async (context) => {
  const port = await listen(context, (socket) => {
    let heard = '';
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      heard += String(data);
      const word = /\$\d+\r\n(PING|INFO|TIME)\r\n$/.exec(heard)?.[1];
      if (word === undefined) return;
      heard = '';
      const seconds = String(Math.floor(Date.now() / 1000) - 5);
      const answers: Readonly<Record<string, string>> = {
        PING: '+PONG\r\n',
        INFO: '$40\r\nredis_version:4.0.1\r\nrole:master\r\nx:12\r\n\r\n',
        TIME: `*2\r\n$${seconds.length}\r\n${seconds}\r\n$1\r\n0\r\n`,
      };
      // In two pieces: a reply need not come whole.
      const answer = answers[word] ?? '';
      setTimeout(() => {
        socket.write(answer.slice(0, 4));
        setTimeout(() => socket.write(answer.slice(4)), 5);
      }, 10);
    });
  });
  const { of } = await doctor(
    folder(context, {}),
    '--entrypoints.web.address=:0',
    `--state.redis.endpoints=127.0.0.1:${port}`,
  );
  assert.match(
    of('redis').join('\n'),
    /^(?:warning|error) .*: a question takes \d+\.\d ms; a request waits for 50 ms/,
  );
  assert.match(of('redis').join('\n'), /^error .*: version 4\.0\.1 is too old/m);
  assert.match(of('clock')[0] ?? '', /^warning [4-6]\.\d s ahead of Redis: /);
});

test('a Redis that never answers costs two seconds at most, and is an error', async (context) => {
  const port = await listen(context, () => {});
  const started = performance.now();
  const { of } = await doctor(
    folder(context, {}),
    '--entrypoints.web.address=:0',
    `--state.redis.endpoints=127.0.0.1:${port}`,
  );
  assert.ok(performance.now() - started < 4_000);
  assert.match(of('redis')[0] ?? '', /^error 127\.0\.0\.1:\d+: no answer in time/);
});

const acme = [
  '--entrypoints.web.address=:0',
  '--certificatesresolvers.le.acme.email=a@b.test',
  '--certificatesresolvers.le.acme.caserver=http://127.0.0.1:1/dir',
  '--certificatesresolvers.le.acme.storage=store/acme.json',
  '--certificatesresolvers.le.acme.httpchallenge.entrypoint=web',
];

test('acme.json: no folder, no file, open to others, broken, expired', async (context) => {
  const cwd = folder(context, {});
  assert.match(
    (await doctor(cwd, ...acme)).of('certificates')[0] ?? '',
    /^error store\/acme\.json: its folder is not there/,
  );
  mkdirSync(path.join(cwd, 'store'));
  assert.deepEqual((await doctor(cwd, ...acme)).of('certificates'), ['ok store/acme.json will be made']);
  const file = path.join(cwd, 'store/acme.json');
  const put = (text: string, mode: number): void => {
    writeFileSync(file, text);
    chmodSync(file, mode);
  };
  put('{}', 0o644);
  assert.match(
    (await doctor(cwd, ...acme)).of('certificates')[0] ?? '',
    /^error .* has the mode 644: .*→ `chmod 600 store\/acme\.json`/,
  );
  put('{"le": hush', 0o600);
  const broken = await doctor(cwd, ...acme);
  assert.match(
    broken.of('certificates')[0] ?? '',
    /^error store\/acme\.json cannot be read: it is no valid JSON/,
  );
  assert.doesNotMatch(broken.out, /hush/);
  put('{}', 0o600);
  assert.match((await doctor(cwd, ...acme)).of('certificates')[0] ?? '', /^ok .* holds none yet/);
  const authority = makeAuthority();
  context.after(() => authority.close());
  const entry = (name: string, days: number): object => {
    const { cert, key } = authority.issue([name], { days });
    const of = (text: string): string => Buffer.from(text).toString('base64');
    return { domain: { main: name }, certificate: of(cert), key: of(key), Store: 'default' };
  };
  put(JSON.stringify({ le: { Certificates: [entry('old.test', -1), entry('new.test', 90)] } }), 0o600);
  const found = (await doctor(cwd, ...acme)).of('certificates');
  assert.equal(found.length, 1);
  assert.match(found[0] ?? '', /^error in store\/acme\.json: 1 expired: old\.test \(\d{4}-\d\d-\d\d\)/);
});

test('certificates of files that end within 30 days are a warning', async (context) => {
  const authority = makeAuthority();
  context.after(() => authority.close());
  const { cert, key } = authority.issue(['soon.test'], { days: 9 });
  const cwd = folder(context, {
    'c.pem': cert,
    'k.pem': key,
  });
  const pair = { certFile: path.join(cwd, 'c.pem'), keyFile: path.join(cwd, 'k.pem') };
  writeFileSync(path.join(cwd, 'd.yml'), JSON.stringify({ tls: { certificates: [pair] } }));
  const text = await call(cwd, [
    'doctor',
    '--entrypoints.web.address=:0',
    `--providers.file.filename=${cwd}/d.yml`,
  ]);
  const { of } = await doctor(cwd, '--entrypoints.web.address=:0', `--providers.file.filename=${cwd}/d.yml`);
  assert.match(of('certificates')[0] ?? '', /^warning of files: 1 end soon: soon\.test \(/, text.out);
});

test('a folder for logs that is well has room', async (context) => {
  const cwd = folder(context, {});
  const { of } = await doctor(cwd, '--entrypoints.web.address=:0', '--log.filepath=logs/a.log');
  assert.match(of('disks')[0] ?? '', /^(?:ok|warning|error) .*MiB are free/);
});

test('a probe that throws or never ends is a warning', async () => {
  const broken = await examine({
    area: 'x',
    run: () => {
      throw Object.assign(new Error('hush'), { code: 'EIO' });
    },
  });
  assert.deepEqual(broken.findings, [{ level: 'warning', says: 'could not be looked at: EIO' }]);
  const stuck = await examine({ area: 'x', run: async () => new Promise<never>(() => {}) }, 10);
  assert.match(stuck.findings[0]?.says ?? '', /within 0\.01 s/);
});

test('the text is aligned, without colours unless they are wanted, and cannot move the cursor', () => {
  const examined = [
    { area: 'ports', findings: [{ level: 'error' as const, says: 'a\u001b[2J', fix: 'do it' }] },
    {
      area: 'clock',
      findings: [
        { level: 'ok' as const, says: 'b' },
        { level: 'info' as const, says: 'c' },
      ],
    },
  ];
  assert.equal(
    asText(examined, false),
    [
      'error    ports  a·[2J',
      '                → do it',
      'ok       clock  b',
      'info            c',
      '',
      '1 error, 0 warnings, 1 well',
      '',
    ].join('\n'),
  );
  assert.match(asText(examined, true), /\u001b\[31merror/);
});
