// HTTP/2 floods from many connections at once: each ends its own connection, and everybody else is served.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type EndlessOrigin, startEndlessOrigin } from '../support/endless-origin.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import {
  block,
  frame,
  type FrameClient,
  frameTypes,
  getFrame,
  openFrames,
  resetFrame,
  settingsFrame,
} from '../support/http2-frames.ts';
import { besiege } from '../support/siege.ts';
import { routesTo } from '../support/wire.ts';

/** Connections that come again as soon as they are cut. */
const attackers = 20;
const attackFor = 6_000;

/** What one attacker sends in each turn; `round` counts within its connection. */
type Flood = (client: FrameClient, round: number) => void;

const fields = block(['x-a', 'a'.repeat(100)]);

const floods: Readonly<Record<string, Flood>> = {
  'rapid resets': (client, round) => {
    for (let i = 0; i < 50; i++) {
      const stream = (round * 50 + i) * 2 + 1;
      client.send(getFrame(stream, '/o/x'), resetFrame(stream));
    }
  },
  'a head in CONTINUATION without end': (client, round) => {
    if (round === 0) client.send(frame(frameTypes.headers, 0, 1, fields));
    client.send(...Array.from({ length: 20 }, () => frame(frameTypes.continuation, 0, 1, fields)));
  },
  SETTINGS: (client) => client.send(...Array.from({ length: 40 }, () => settingsFrame([4, 65_535]))),
  PING: (client) => {
    const ping = frame(frameTypes.ping, 0, 0, Buffer.alloc(8));
    client.send(...Array.from({ length: 40 }, () => ping));
  },
};

describe('HTTP/2 floods from many at once', { timeout: 120_000 }, () => {
  let origin: EndlessOrigin;
  let gateway: TestGateway;

  before(async () => {
    origin = await startEndlessOrigin();
    gateway = await startGateway({ engine: 'node', dynamic: routesTo({ o: origin.url }) });
  });
  after(async () => {
    await gateway?.stop();
    origin?.stop();
  });

  for (const [name, flood] of Object.entries(floods)) {
    test(name, async () => {
      const siege = besiege(gateway, { path: '/o/other', patience: 15_000 });
      const end = performance.now() + attackFor;
      const cut = await Promise.all(
        Array.from({ length: attackers }, () => attack(gateway.port('web'), flood, end)),
      );
      const times = cut.reduce((sum, one) => sum + one, 0);
      const report = await siege.stop(`node: ${name} ×${attackers}, cut ${times} times`);
      assert.ok(times > 0);
      assert.equal(report.failed, 0);
      assert.ok(report.answered > 1, report.row);
      assert.ok(report.peak - report.before < 250e6, report.row);
    });
  }
});

/** Floods until `end`, on a new connection whenever one is cut; how often that was. */
async function attack(port: number, flood: Flood, end: number): Promise<number> {
  let cuts = 0;
  while (performance.now() < end) {
    const client = await openFrames(port).catch(() => null);
    if (client === null) continue;
    for (let round = 0; !client.isClosed && performance.now() < end; round++) {
      flood(client, round);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    if (client.isClosed) cuts += 1;
    client.destroy();
  }
  return cuts;
}
