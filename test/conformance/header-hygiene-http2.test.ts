// Header hygiene over HTTP/2, where names are in lower case and lines are fields: the same that holds for HTTP/1.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { FrontDoor, Seen } from '../support/front-door.ts';
import { block, flags, frame, frameTypes, openFrames } from '../support/http2-frames.ts';
import {
  assertAllClean,
  assertEdited,
  batches,
  edited,
  everywhere,
  type HygieneRoute,
  hygieneRoutes,
  mark,
  openHygieneDoor,
} from '../support/hygiene-door.ts';
import { spellingsOf } from '../support/spellings.ts';

describe('header hygiene over HTTP/2', () => {
  let door: FrontDoor;
  let session: http2.ClientHttp2Session;
  before(async () => {
    door = await openHygieneDoor('node');
    session = http2.connect(door.gateway.url('web'));
  });
  beforeEach(() => door.forget());
  after(async () => {
    session?.destroy();
    await door?.stop();
  });

  async function ask({ target, lines }: HygieneRoute, names: readonly string[]): Promise<number> {
    const headers: Record<string, string | string[]> = { ':path': target, ':authority': 'app.test' };
    for (const name of names) headers[name] = [mark, `${mark}, 1`, ''];
    for (const line of lines) headers.authorization = line.slice(line.indexOf(' ') + 1);
    const stream = session.request(headers);
    stream.resume();
    const [answer] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    await once(stream, 'close');
    return Number(answer[':status']);
  }

  test('no spelling of a managed name passes on any route', async () => {
    const names = [...new Set(everywhere.flatMap(spellingsOf).map(lower))];
    for (const batch of batches(names, 25)) {
      for (const route of hygieneRoutes) {
        const made = route();
        if (made.isUpgrade === true) continue;
        door.forget();
        assert.equal(await ask(made, batch), made.status, `${made.target} with ${batch[0]}`);
        assertAllClean(door, made.target);
      }
    }
  });

  test('no spelling of a name a route sets or deletes passes on that route', async () => {
    for (const batch of batches([...new Set(edited.flatMap(spellingsOf).map(lower))], 25)) {
      door.forget();
      assert.equal(await ask({ target: '/custom', lines: [], status: 200 }, batch), 200);
      assertEdited((door.origin[0] as Seen).raw);
    }
  });

  test('a field name that HTTP/2 does not allow brings nothing to anyone', async () => {
    const odd = [
      'X-User-Id',
      'x-user-id ',
      ' x-user-id',
      'x user-id',
      'x-user-id:',
      ':x-user-id',
      'x-user-id\0',
      '',
    ];
    for (const name of [...odd, 'connection', 'proxy-connection', 'x-user-id\r\nx-user-id']) {
      door.forget();
      const client = await openFrames(door.port);
      const pseudo = [':method', 'GET', ':scheme', 'http', ':path', '/api', ':authority', 'app.test'];
      const fields = [...pseudo, 'authorization', 'good', name, mark];
      client.send(frame(frameTypes.headers, flags.endStream | flags.endHeaders, 1, block(fields)));
      await client.until('an answer or a reset', ({ type }) => type === 1 || type === 3 || type === 7);
      client.destroy();
      assertAllClean(door, JSON.stringify(name));
    }
  });

  test('a trailer section is no header to anyone behind', async () => {
    const headers = { ':method': 'POST', ':path': '/api', ':authority': 'app.test', authorization: 'good' };
    const stream = session.request(headers, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-user-id': mark, x_user_role: mark }));
    stream.resume();
    stream.end('abc');
    await once(stream, 'close');
    assert.equal(door.origin.length, 1);
    assertAllClean(door, 'trailers');
  });
});

function lower(name: string): string {
  return name.toLowerCase();
}
