// Nothing that folds to a name the gateway answers for reaches a server or the auth server with a client's value: every
// spelling, on every kind of route, through both engines and HTTP/2.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type FrontDoor, type Seen, valuesOf } from '../support/front-door.ts';
import {
  assertAllClean,
  assertEdited,
  basic,
  batches,
  edited,
  everywhere,
  good,
  type HygieneRoute,
  hygieneRoutes,
  mark,
  openHygieneDoor,
  upgrade,
} from '../support/hygiene-door.ts';
import { requestText } from '../support/raw.ts';
import { foldedValues, identityNames, spellingsOf } from '../support/spellings.ts';

let fresh = 0;

for (const engine of ['uws', 'node'] as const) {
  describe(`header hygiene on the ${engine} engine`, () => {
    let door: FrontDoor;
    before(async () => {
      door = await openHygieneDoor(engine);
    });
    beforeEach(() => door.forget());
    after(() => door?.stop());

    async function send(route: HygieneRoute, lines: readonly string[]): Promise<void> {
      door.forget();
      const text = requestText(`GET ${route.target}`, [...route.lines, ...lines]);
      const answer = await door.send(text, { quiet: 4 });
      assert.equal(answer.statuses[0], route.status, `${route.target} with ${lines[0]}`);
      assertAllClean(door, route.target);
    }

    test('no spelling of a managed name passes on any route, with any value, once or twice', async () => {
      const lines = everywhere.flatMap(spellingsOf).map((name) => `${name}: ${mark}`);
      for (const name of everywhere)
        lines.push(`${name}:`, `${name}: ${mark}`, `${name}: , ${mark}`, `${name}:\t${mark}`);
      for (const batch of batches(lines)) for (const route of hygieneRoutes) await send(route(), batch);
    });

    test('no spelling of a name a route sets or deletes passes on that route', async () => {
      const lines = edited.flatMap(spellingsOf).map((name) => `${name}: ${mark}`);
      for (const batch of batches(lines)) {
        for (const target of ['/custom', '/page']) {
          await send({ target, lines: [], status: target === '/page' ? 401 : 200 }, batch);
          for (const { raw } of door.origin) assertEdited(raw);
        }
      }
    });

    test('a name with a space, a fold or nothing in it is refused, or is nobody’s', async () => {
      for (const name of ['X-User-Id', 'X-Forwarded-For', 'X-Real-Ip']) {
        const odd = [
          `${name} : ${mark}`,
          `${name}\t: ${mark}`,
          ` ${name}: ${mark}`,
          `${name.replace('-', ' ')}: ${mark}`,
          `X-Other: a\r\n ${name}: ${mark}`,
          `X-Other: a\r${name}: ${mark}`,
          `X-Other: a\n${name}: ${mark}`,
          `${name}\0: ${mark}`,
          `${name}\x80: ${mark}`,
          `: ${mark}`,
          `${name}`,
        ];
        for (const line of odd) {
          door.forget();
          const deadline = { quiet: 4, deadline: 300 };
          await door.send(requestText('GET /api', [good, line, 'Connection: close']), deadline);
          for (const { raw } of [...door.origin, ...door.auth]) {
            const spoofed = foldedValues(raw, name).filter((value) => value.includes(mark));
            assert.deepEqual(spoofed, [], JSON.stringify(line));
          }
        }
      }
    });

    test('nothing a client lists in Connection takes away what the gateway adds, on any route', async () => {
      const forwarded = ['For', 'Proto', 'Host', 'Port', 'Server'].map((name) => `X-Forwarded-${name}`);
      const added: readonly (readonly [string, readonly string[], readonly string[]])[] = [
        ['/health', [], [...forwarded, 'X-Real-Ip', 'Host']],
        ['/api', [good], [...forwarded, 'X-Real-Ip', 'X-User-Id', 'X-User-Role', 'Host']],
        ['/cached', [good], [...forwarded, 'X-User-Id', 'X-User-Role']],
        ['/basic', [basic], ['X-Basic-User']],
        ['/custom', [], ['X-Added', 'X-Added-Too']],
        ['/cut/health', [], ['X-Forwarded-Prefix']],
        ['/replaced', [], ['X-Replaced-Path']],
        ['/page-of-none', [], [...forwarded, 'X-Real-Ip']],
        ['/ws/a', upgrade, [...forwarded, 'X-Real-Ip', 'Host']],
        ['/api/ws', [good, ...upgrade], [...forwarded, 'X-User-Id', 'X-User-Role']],
      ];
      for (const [target, lines, names] of added) {
        for (const spell of [same, lower, upper, padded]) {
          door.forget();
          const isUpgrade = lines.includes(upgrade[0] as string);
          const options = [isUpgrade ? 'Upgrade' : 'close', ...names.map(spell)];
          const kept = lines.filter((line) => !line.startsWith('Connection'));
          const connection = `Connection: ${options.join(', ')}`;
          await door.send(requestText(`GET ${target}`, [connection, ...kept]), { quiet: 15 });
          const { raw } = door.origin.at(-1) as Seen;
          for (const name of names) assert.equal(valuesOf(raw, name).length, 1, `${target}: ${spell(name)}`);
        }
      }
    });

    test('what an auth answer does not say is said by nobody: asked, kept, switched', async () => {
      const spoofed = identityNames
        .flatMap((name) => spellingsOf(name).slice(0, 20))
        .map((name) => `${name}: ${mark}`);
      for (const target of ['/api', `/cached/own${++fresh}`, `/cached/own${fresh}`, '/trusting', '/api/ws']) {
        door.forget();
        const lines = target === '/api/ws' ? [good, ...upgrade] : [good];
        await door.send(requestText(`GET ${target}`, [...lines, ...spoofed]), { quiet: 5 });
        const { raw } = door.origin[0] as Seen;
        assert.deepEqual(foldedValues(raw, 'X-User-Id'), ['7'], target);
        assert.deepEqual(foldedValues(raw, 'X-User-Role'), ['reader'], target);
        assert.deepEqual(foldedValues(raw, 'X-Auth.Info'), [], target);
      }
    });

    test('the hop-by-hop set ends here on every route, towards servers and auth server', async () => {
      const hop = [
        'Keep-Alive',
        'Proxy-Connection',
        'Proxy-Authorization',
        'Proxy-Authenticate',
        'Proxy',
        'Trailer',
      ];
      const lines = [...hop, 'HTTP2-Settings', 'Keep_Alive', 'proxy.authorization'].map(
        (name) => `${name}: ${mark}`,
      );
      for (const route of hygieneRoutes) {
        const made = route();
        door.forget();
        await door.send(requestText(`GET ${made.target}`, [...made.lines, ...lines, 'TE: gzip']), {
          quiet: 5,
        });
        for (const { raw } of [...door.origin, ...door.auth]) {
          assert.ok(!raw.join('\n').includes(mark), `${made.target}: ${raw.join(' ')}`);
          assert.deepEqual(foldedValues(raw, 'TE'), []);
        }
      }
    });

    test('a trailer is no header to anyone behind', async () => {
      const trailers = everywhere.slice(0, 12).map((name) => `${name}: ${mark}\r\n`);
      for (const target of ['/health', '/api', '/cached']) {
        const head = requestText(`POST ${target}`, [
          good,
          'Transfer-Encoding: chunked',
          'Trailer: X-User-Id',
        ]);
        for (const parts of [
          [`${head}3\r\nabc\r\n0\r\n${trailers.join('')}\r\n`],
          [`${head}3\r\nabc\r\n0\r\n`, `${trailers.join('')}\r\n`],
          [`${head}3\r\nabc\r\n`, `0\r\n${trailers.join('')}\r\n`],
        ])
          await door.send(parts, { quiet: 20 });
      }
      assert.ok(door.origin.length > 0);
      assertAllClean(door, 'trailers');
    });
  });
}

const same = (name: string): string => name;
const lower = (name: string): string => name.toLowerCase();
const upper = (name: string): string => name.toUpperCase();
const padded = (name: string): string => `\t${name.toLowerCase()} `;
