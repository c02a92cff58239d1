// `workerUser` and `workerEnv`: what is taken and what is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadStatic } from '../../../../src/config/static/load.ts';
import { resolveStatic } from '../../../../src/config/static/resolve.ts';

function resolved(...argv: readonly string[]): {
  readonly user: unknown;
  readonly problems: readonly string[];
} {
  const { config, diagnostics } = loadStatic({ argv, env: {}, cwd: '/nonexistent' });
  assert.ok(config, JSON.stringify(diagnostics));
  const { workerUser, diagnostics: found } = resolveStatic(config, '00');
  return { user: workerUser, problems: found.map(({ message }) => message) };
}

test('a name or two numbers are taken', () => {
  assert.deepEqual(resolved('--workerUser=portcullis'), { user: { name: 'portcullis' }, problems: [] });
  assert.deepEqual(resolved('--workerUser=65532:65533').user, {
    name: '65532:65533',
    uid: 65_532,
    gid: 65_533,
  });
  assert.equal(resolved().user, null);
});

test('root, its group, and what is no user are refused', () => {
  for (const written of ['root', '0:1', '1:0', '', 'a b', '1', '4294967295:1', ':', '../x']) {
    const { user, problems } = resolved(`--workerUser=${written}`);
    assert.equal(user, null, written);
    assert.equal(problems.length, 1, written);
    assert.match(problems[0] ?? '', /`workerUser` is /);
  }
});

test('a process log that the gateway rotates is refused beside it, an access log is not', () => {
  assert.match(
    resolved('--workerUser=a', '--log.filePath=/x', '--log.maxAge=1').problems[0] ?? '',
    /`log` cannot/,
  );
  assert.deepEqual(
    resolved('--workerUser=a', '--accessLog.filePath=/x', '--accessLog.rotation.maxAge=1').problems,
    [],
  );
});

test('names of variables are checked', () => {
  assert.deepEqual(resolved('--workerEnv=A,b_1').problems, []);
  assert.match(resolved('--workerEnv=A,B=C').problems[0] ?? '', /`workerEnv` holds "B=C"/);
});
