// digestAuth: its header, its users, and its nonces.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { expectedResponse, readDigest } from '../../../../src/proxy/middlewares/digest-auth/answer.ts';
import { Nonces } from '../../../../src/proxy/middlewares/digest-auth/nonces.ts';
import { htdigest } from '../../../../src/proxy/middlewares/digest-auth/users.ts';
import { mergeUsers, parseUsers } from '../../../../src/proxy/middlewares/user-auth.ts';
import { build } from './workbench.ts';

const digest = '939e7578ed9e3c518a452acee763bce9';
// The example of RFC 7616 §3.9.1, with MD5.
const example =
  'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5, ' +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, ' +
  'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, ' +
  'response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

test('the example of RFC 7616 is read and worked out', () => {
  const answer = readDigest(example);
  assert.ok(answer);
  assert.deepEqual([answer.username, answer.uri, answer.nc], ['Mufasa', '/dir/index.html', 1]);
  // MD5 of `Mufasa:http-auth@example.org:Circle of Life`.
  assert.equal(expectedResponse(answer, 'GET', '3d78807defe7de2157e2b0b6573a855f'), answer.response);
});

for (const [what, value] of [
  ['another scheme', example.replace('Digest', 'Basic')],
  ['another algorithm', example.replace('MD5', 'SHA-256')],
  ['no qop', example.replace('qop=auth, ', '')],
  ['another qop', example.replace('qop=auth', 'qop=auth-int')],
  ['a part twice', `${example}, uri="/other"`],
  ['an open quote', example.slice(0, -1)],
  ['a short count', example.replace('00000001', '1')],
  ['a line break in the name', example.replace('Mufasa', 'Mu\\\nfasa')],
  ['too many parts', `${example}${Array.from({ length: 20 }, (_, at) => `, a${at}=b`).join('')}`],
  ['too many characters', `${example}, a="${'x'.repeat(20_000)}"`],
] as const) {
  test(`a header with ${what} is none`, () => {
    assert.equal(readDigest(value), null);
  });
}

for (const blanks of ['a=', 'a', 'a=b', 'a="b"', '', 'a=,', 'a="'] as const) {
  test(`what follows ${blanks || 'the scheme'} takes no longer than its length, blanks or not`, () => {
    const header = `Digest ${blanks}${' '.repeat(16_000)}"`.slice(0, 16 * 1024);
    const times = [1, 2, 3].map(() => {
      const before = process.cpuUsage().user;
      assert.equal(readDigest(header), null);
      return process.cpuUsage().user - before;
    });
    // Microseconds of CPU time; trying every way to share the blanks out takes 110,000.
    assert.ok(Math.min(...times) < 15_000, String(times));
  });
}

test('parts may have blanks around everything, and be empty', () => {
  const spaced = example.replace(/=/g, '  =  ').replace(/, /g, '  ,  ');
  assert.deepEqual(readDigest(spaced), readDigest(example));
  assert.equal(readDigest(`${example}, a=, b=""`)?.username, 'Mufasa');
});

test('a nonce of one worker is good in all of a boot, and in no other', () => {
  const [here, there, elsewhere] = [new Nonces('a'), new Nonces('a'), new Nonces('b')];
  const nonce = here.issue();
  assert.equal(there.accept(nonce, 1), true);
  assert.equal(elsewhere.accept(nonce, 1), false);
  for (const wrong of ['', 'x', `${nonce}x`, nonce.replace(/^./, '0'), nonce.slice(0, -1)]) {
    assert.equal(here.accept(wrong, 1), false, wrong);
  }
});

test('a count is good once, those that overtake each other too', () => {
  const nonces = new Nonces('a');
  const nonce = nonces.issue();
  const given = [1, 1, 3, 2, 2, 3, 40, 39, 39, 9, 8, 4, 100, 69, 68, 0, 100];
  const taken = given.map((nc) => nonces.accept(nonce, nc));
  const first = [1, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0].map(Boolean);
  assert.deepEqual(taken, first);
});

test('a count is good once, though more nonces come than are remembered', (context) => {
  mock.timers.enable({ apis: ['Date'], now: Date.now() });
  context.after(() => mock.timers.reset());
  const nonces = new Nonces('a');
  const taken = nonces.issue();
  const unused = nonces.issue();
  assert.equal(nonces.accept(taken, 1), true);
  for (let i = 0; i < 10_000; i += 1) {
    mock.timers.tick(1);
    assert.equal(nonces.accept(nonces.issue(), 1), true);
  }
  // What is as old as one that was forgotten might be that one.
  assert.deepEqual([nonces.accept(taken, 1), nonces.accept(unused, 1)], [false, false]);
  assert.equal(nonces.accept(nonces.issue(), 1), true);
});

test('a nonce ends after five minutes', (context) => {
  const nonces = new Nonces('a');
  const nonce = nonces.issue();
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 299_000 });
  context.after(() => mock.timers.reset());
  assert.equal(nonces.accept(nonce, 1), true);
  mock.timers.tick(2_000);
  assert.equal(nonces.accept(nonce, 2), false);
});

test('users are name, realm and hash; those of the options win', () => {
  const merged = mergeUsers(
    htdigest,
    [`ann:traefik:${digest}`],
    `# x\n\nann:traefik:${digest.replace('9', 'A')}\nbob:r:${digest}\n`,
  );
  assert.deepEqual(
    [...parseUsers(htdigest, merged)],
    [
      ['ann:traefik', digest],
      ['bob:r', digest],
    ],
  );
  for (const line of ['ann', `ann:${digest}`, `ann:r:${digest}0`, `a:b:c:${digest}`]) {
    assert.throws(() => build('digestAuth', { users: [line] }), /expected name:realm:hash/);
  }
  assert.throws(() => build('digestAuth', {}), /expected users or a usersFile/);
  assert.throws(() => mergeUsers(htdigest, [], ''), /no user/);
});
