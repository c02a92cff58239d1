// basicAuth: users, hashes, and the bounds of checking them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { isRightPassword } from '../../../../src/proxy/middlewares/basic-auth/hashes.ts';
import { Logins } from '../../../../src/proxy/middlewares/basic-auth/logins.ts';
import { htpasswd } from '../../../../src/proxy/middlewares/basic-auth/users.ts';
import { maxJobs } from '../../../../src/proxy/middlewares/basic-auth/verifier.ts';
import { mergeUsers, parseUsers } from '../../../../src/proxy/middlewares/user-auth.ts';
import { build } from './workbench.ts';

const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const hash = hashSync('secret', 4);

for (const [made, password] of [
  [hash, 'secret'],
  [hash.replace('$2b$', '$2y$'), 'secret'],
  [hash.replace('$2b$', '$2a$'), 'secret'],
  [hashSync('pässword', 4), 'pässword'],
  // By `openssl passwd -apr1 -salt abcdefgh secret`, and the same of `pässword`.
  ['$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/', 'secret'],
  ['{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', 'secret'],
] as const) {
  test(`${made.slice(0, 6)} takes ${password} and nothing else`, () => {
    assert.equal(isRightPassword(bytes(password), made), true);
    for (const other of ['', 'Secret', `${password} `, 'p\xe4ssword', 'p\xff']) {
      assert.equal(isRightPassword(other, made), false, other);
    }
  });
}

for (const [line, problem] of [
  ['ann', /expected name:hash/],
  [':x', /expected name:hash/],
  ['ann:secret', /for the user "ann", as htpasswd/],
  ['ann:$1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/', /bcrypt, apr1 or \{SHA\}/],
  [`ann:${hash.replaceAll('$', '$$$$')}`, /each dollar sign stands twice/],
  [`ann:${hash.replace('$04$', '$31$')}`, /cost from 4 to 15 for the user "ann", it is 31/],
  ['a\nb:x', /without control characters/],
  [`ann:${'x'.repeat(2_000)}`, /longer than 1024/],
] as const) {
  test(`the user line ${JSON.stringify(line.slice(0, 30))} is refused`, () => {
    const message = htpasswd.problemOf(line) ?? '';
    assert.match(message, problem);
    assert.ok(!message.includes(hash) && !message.includes('secret'), message);
  });
}

test('a file adds users, those of the options win, comments and empty lines are skipped', () => {
  const merged = mergeUsers(
    htpasswd,
    [`ann:${hash}`],
    '# users\r\n\r\nann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\r\nbob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n',
  );
  const users = parseUsers(htpasswd, merged);
  assert.deepEqual([...users.keys()], ['ann', 'bob']);
  assert.equal(users.get('ann'), hash);
  assert.throws(() => mergeUsers(htpasswd, [], '# nobody\n'), /no user/);
  assert.throws(() => mergeUsers(htpasswd, [], 'ann:secret\n'), /usersFile: expected a hash/);
});

test('no users, and a header field that is no name, are refused', () => {
  assert.throws(() => build('basicAuth', {}), /expected users or a usersFile/);
  assert.throws(() => build('basicAuth', { usersFile: '/nowhere' }), /was not read/);
  assert.throws(
    () => build('basicAuth', { users: [`ann:${hash}`], headerField: 'a b' }),
    /not a header name/,
  );
});

test('equal credentials are checked once at a time, too many others are turned away', async () => {
  const logins = new Logins(new Map([['ann', hash]]), 'f00d');
  const check = (password: string, name = 'ann') =>
    logins.verify(logins.keyOf(`${name}:${password}`), { name, password });
  const same = Array.from({ length: 200 }, () => check('secret'));
  assert.equal(new Set(same).size, 1);
  const others = Array.from({ length: 200 }, (_, at) => check(String(at)));
  assert.equal(others.filter((outcome) => outcome !== null).length, maxJobs - 1);
  assert.equal(await same[0], true);
  const settled = await Promise.all(others.filter((outcome) => outcome !== null));
  assert.ok(settled.every((isRight) => !isRight));
  assert.equal(logins.find(logins.keyOf('ann:secret')), 'ann');
  assert.equal(logins.find(logins.keyOf('ann:0')), null);
});

test('someone unknown is refused with any password, and takes as long as someone known', async () => {
  const users = new Map([['ann', hashSync('secret', 9)]]);
  const logins = new Logins(users, 'f00d');
  const timed = async (name: string, password: string): Promise<number> => {
    const started = performance.now();
    assert.equal(await logins.verify(logins.keyOf(name + password), { name, password }), false);
    return performance.now() - started;
  };
  await timed('ann', 'warm');
  // Even with the password of the hash that stands in for his.
  assert.equal(await logins.verify(logins.keyOf('x'), { name: 'eve', password: 'secret' }), false);
  const known: number[] = [];
  const unknown: number[] = [];
  for (let i = 0; i < 5; i++) {
    known.push(await timed('ann', `a${i}`));
    unknown.push(await timed(`eve${i}`, `a${i}`));
  }
  const least = (times: number[]): number => Math.min(...times);
  assert.ok(least(unknown) > least(known) / 2, `${least(unknown)} ms, ${least(known)} ms`);
});
