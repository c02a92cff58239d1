// What comes back from Redis, spoilt: never let in by it, never more than a miss or an error, and never a throw.

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import fc from 'fast-check';
import { SharedLevel } from '../../src/proxy/middlewares/forward-auth/shared-level.ts';
import { Tagger } from '../../src/proxy/middlewares/forward-auth/tags.ts';
import type { SharedDecisions } from '../../src/state/decisions.ts';
import { openSelector, readSelector, sealSelector } from '../../src/state/purge-text.ts';
import type { RedisConnection } from '../../src/state/redis/connect.ts';
import { RedisDecisions } from '../../src/state/redis/decisions.ts';
import { RedisRefused, RedisUnreachable } from '../../src/state/redis/errors.ts';
import { RedisSessions } from '../../src/state/redis/sessions.ts';
import { RedisState } from '../../src/state/redis/state.ts';
import { Sealing } from '../../src/state/sealing.ts';
import { bytes, fuzz, property } from './fuzz.ts';

const sealing = new Sealing('a secret that is long enough for everybody');
const stranger = new Sealing('another secret that is long enough, too');
const bucket = { space: 's', rate: 0.01, burst: 5, maxDelay: 100 };
const wish = { need: 2, extra: 3, back: 0 };

/** What a client of RESP may hand over, and what it may not. */
const scalar = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '1',
    '-1',
    '1e999',
    'NaN',
    'Infinity',
    ' ',
    '0x10',
    'nil',
    '9007199254740993',
    '1.5',
  ),
  fc.constantFrom<number | null | boolean>(null, 0, 1, -1, 1e308, true, false),
  bytes(12),
);
const reply = fc.oneof(
  scalar,
  fc.array(fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })), { maxLength: 8 }),
  fc.constant({}),
);
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const flip = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));

fuzz('shared-state', [
  property(
    'a sealed text opens in its place alone, and no changed byte of it opens',
    fc.tuple(text, text, flip, fc.nat(60)),
    ([plain, place, [at, mask], cut]) => {
      const sealed = sealing.seal(plain, place);
      assert.equal(sealing.open(sealed, place), plain);
      assert.equal(sealing.open(sealed, `${place}x`), null);
      assert.equal(stranger.open(sealed, place), null);
      const raw = Buffer.from(sealed, 'base64');
      const changed = Buffer.from(raw);
      changed[at % raw.length] = (raw[at % raw.length] as number) ^ mask;
      assert.equal(sealing.open(changed.toString('base64'), place), null);
      assert.equal(
        sealing.open(raw.subarray(0, Math.max(0, raw.length - 1 - cut)).toString('base64'), place),
        null,
      );
    },
    500,
  ),
  property(
    'no reply makes a decision, and none makes the look reject',
    fc.tuple(reply, text),
    async ([answer, key]) => {
      const look = await decisionsOf(answer).find(key);
      assert.equal(look.decision, null);
      assert.ok(look.epoch === null || (Number.isSafeInteger(look.epoch) && look.epoch >= 1));
    },
    1_000,
  ),
  property(
    'a decision is found as it was put, and not with anything about it changed',
    fc.tuple(text, text, fc.nat(7), flip, scalar),
    async ([key, plain, kind, [at, mask], garbage]) => {
      const name = sealing.nameOf(key);
      const stored = `5 ${sealing.seal(plain, `${name} 5`)}`;
      const found = await decisionsOf(['5', stored, '1000']).find(key);
      assert.deepEqual(found, { epoch: 5, decision: { text: plain, life: 1000, purges: [] } });
      const spoilt = spoil(stored, kind, [at, mask], String(garbage));
      if (spoilt === stored) return;
      const look = await decisionsOf(['5', spoilt, '1000']).find(key);
      // Its own epoch is in the seal; what is left of it may be the same number written otherwise.
      if (look.decision !== null)
        assert.deepEqual([look.decision.text, Number(spoilt.split(' ')[0])], [plain, 5]);
      assert.equal((await decisionsOf(['5', stored, '1000']).find(`${key}x`)).decision, null);
    },
    500,
  ),
  property(
    'a decision of an older epoch counts only with every purge since',
    fc.tuple(
      text,
      fc.nat(3),
      fc.array(fc.oneof(bytes(20), fc.constant('sealed'), fc.constant('strange')), { maxLength: 4 }),
    ),
    async ([plain, behind, notes]) => {
      const stored = `${9 - behind} ${sealing.seal(plain, `${sealing.nameOf('k')} ${9 - behind}`)}`;
      const purges = notes.map((note, i) => `${9 - behind + 1 + i} ${noteOf(note)}`);
      const { decision } = await decisionsOf(['9', stored, '1000', ...purges]).find('k');
      const isWhole = notes.length === behind && notes.every((note) => note === 'sealed');
      assert.deepEqual(decision?.purges ?? null, isWhole ? notes.map(() => ({ by: 'all' })) : null);
    },
    500,
  ),
  property(
    'what is opened of the second level lets nobody in unless it was put there as such',
    fc.tuple(fc.oneof(text, fc.json({ maxDepth: 3 }), storedLike()), fc.constantFrom(1_000, Number.NaN, -5)),
    async ([content, life]) => {
      const decisions: SharedDecisions = {
        secret: 'x',
        find: async () => ({ epoch: 1, decision: { text: content, life, purges: [] } }),
        put: () => {},
      };
      const { found } = await new SharedLevel(decisions, new Tagger('x')).find('k');
      if (found === null) return;
      const stored = JSON.parse(content) as { decision: { allow: unknown }; until: number };
      assert.equal(stored.decision.allow, true);
      assert.ok(found.life.fresh > 0 && found.life.fresh <= life && found.life.stale >= found.life.fresh);
      for (const list of [found.decision.identity, found.decision.client, found.decision.cookies]) {
        assert.ok(Array.isArray(list) && list.every((one) => typeof one === 'string'));
      }
      assert.ok(found.decision.username === null || typeof found.decision.username === 'string');
    },
    1_000,
  ),
  property(
    'a reply about a bucket is two numbers that can be, or an error',
    reply,
    (answer) =>
      readsOrRefuses(answer, async (state) => {
        const { wait, remaining } = await state.take(bucket, 'k').catch(onlyOurs);
        assert.ok(Number.isFinite(wait) && wait >= 0 && Number.isSafeInteger(remaining) && remaining >= 0);
        assert.ok(isNumbers(answer, 2), JSON.stringify(answer));
      }),
    1_000,
  ),
  property(
    'a reply about several tokens is five numbers that can be, or an error',
    reply,
    (answer) =>
      readsOrRefuses(answer, async (state) => {
        const lent = await state.lend(bucket, 'k', wish).catch(onlyOurs);
        for (const number of Object.values(lent)) assert.ok(Number.isFinite(number) && number >= 0);
        assert.ok(lent.granted <= wish.need + wish.extra && lent.late <= wish.need);
        assert.ok(isNumbers(answer, 5), JSON.stringify(answer));
      }),
    1_000,
  ),
  property(
    'nobody enters by a reply that is not exactly 1',
    reply,
    async (answer) => {
      const state = new RedisState({ keyPrefix: 'p', run: async () => answer });
      const entered = await state.enter('s', 3, 'k').catch(() => false);
      state.close();
      assert.equal(entered, answer === 1);
    },
    500,
  ),
  property(
    'a session leads where a text says, and any other reply is an error or nothing',
    reply,
    async (answer) => {
      const sessions = new RedisSessions(connectionOf(answer));
      const found = await sessions
        .find({ space: 'a'.repeat(16), ttl: 1_000 }, 'k')
        .catch((error: unknown) => {
          assert.ok(error instanceof RedisRefused);
          return null;
        });
      assert.equal(found, typeof answer === 'string' ? answer : null);
    },
    500,
  ),
  property(
    'a purge that is told reads as it was meant, sealed or not, and garbage reads as none',
    fc.tuple(fc.oneof(fc.json({ maxDepth: 2 }), text), text, text),
    ([garbage, token, value]) => {
      for (const selector of [
        { by: 'all' },
        { by: 'token', token: `t${token}` },
        { by: 'header', name: 'X-A', value },
      ] as const) {
        assert.deepEqual(openSelector(sealSelector(selector, sealing), sealing), selector);
        assert.equal(openSelector(sealSelector(selector, stranger), sealing), null);
      }
      const read = readSelector(garbage);
      assert.ok(read === null || ['all', 'token', 'header'].includes(read.by));
      assert.equal(openSelector(garbage, sealing), null);
    },
    300,
  ),
]);

const refusal = new Error('refused');

/** `read` asks a state that gets this answer, and judges what it makes of it; `onlyOurs` ends it well, too. */
async function readsOrRefuses(answer: unknown, read: (state: RedisState) => Promise<void>): Promise<void> {
  const state = new RedisState({ keyPrefix: 'p', run: async () => answer });
  try {
    await read(state);
  } catch (error) {
    if (error !== refusal) throw error;
  } finally {
    state.close();
  }
}

function onlyOurs(error: unknown): never {
  assert.ok(error instanceof RedisRefused || error instanceof RedisUnreachable, String(error));
  throw refusal;
}

/** Whether the reply is what the scripts answer with: texts of as many numbers, none below zero. */
function isNumbers(answer: unknown, count: number): boolean {
  const isNumber = (one: unknown): boolean =>
    /^\d+(?:\.\d+)?$/.test(String(one)) && typeof one !== 'boolean' && !Array.isArray(one);
  return Array.isArray(answer) && answer.length === count && answer.every(isNumber);
}

function connectionOf(answer: unknown): RedisConnection {
  return { keyPrefix: 'p', run: async () => answer } as unknown as RedisConnection;
}

function decisionsOf(answer: unknown): RedisDecisions {
  return new RedisDecisions(connectionOf(answer), sealing);
}

function noteOf(note: string): string {
  if (note === 'sealed') return sealSelector({ by: 'all' }, sealing);
  return note === 'strange' ? sealSelector({ by: 'all' }, stranger) : note;
}

function spoil(stored: string, kind: number, [at, mask]: readonly [number, number], garbage: string): string {
  const place = at % stored.length;
  if (kind === 0) return stored.slice(0, place);
  if (kind === 1) return stored.slice(0, place) + garbage + stored.slice(place);
  if (kind === 2) return `4${stored.slice(1)}`;
  if (kind === 3) return garbage;
  if (kind === 4) return `${garbage} ${stored.slice(2)}`;
  const raw = Buffer.from(stored.slice(2), 'base64');
  raw[at % raw.length] = (raw[at % raw.length] as number) ^ mask;
  return `5 ${raw.toString('base64')}`;
}

/** Almost what the second level stores. */
function storedLike(): fc.Arbitrary<string> {
  const tags = fc.constantFrom('', hash('sha256', 'x', 'binary').slice(0, 16));
  const odd = fc.constantFrom(null, 1, '', 'a', true, {}, [], [1], ['a']);
  const list = fc.oneof(odd, fc.constant(['x-user', 'a']));
  const decision = fc.record(
    {
      allow: fc.constantFrom(true, 'true', 1, false),
      identity: list,
      client: list,
      cookies: list,
      username: odd,
    },
    { noNullPrototype: true },
  );
  return fc
    .record(
      {
        decision: fc.oneof(decision, odd),
        tags: fc.oneof(tags, odd),
        more: fc.constantFrom<unknown>(0, 10, -10, '5'),
        until: fc.constantFrom<unknown>(4e12, 0, '9e15', null),
      },
      { noNullPrototype: true },
    )
    .map((value) => JSON.stringify(value));
}
