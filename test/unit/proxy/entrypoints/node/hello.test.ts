// Reading a TLS client's hello: real ones whole and in pieces, and everything that is none.

import assert from 'node:assert/strict';
import { createServer, connect as connectTcp, type AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { maxHelloBytes, readHello } from '../../../../../src/proxy/entrypoints/node/hello.ts';

let real: Buffer;
let bare: Buffer;
before(async () => {
  real = await helloOf({ servername: 'App.Example.test', ALPNProtocols: ['h2', 'http/1.1'] });
  bare = await helloOf({});
});

test('name and protocols of a real hello are found', () => {
  assert.deepEqual(readHello(real), { serverName: 'app.example.test', protocols: ['h2', 'http/1.1'] });
  assert.deepEqual(readHello(bare), { serverName: null, protocols: [] });
});

test('every prefix is incomplete, and what follows the hello changes nothing', () => {
  for (let i = 0; i < real.length; i++) assert.equal(readHello(real.subarray(0, i)), 'incomplete', String(i));
  assert.deepEqual(readHello(Buffer.concat([real, Buffer.from('early data')])), readHello(real));
});

test('a hello in several records is the same hello', () => {
  const message = real.subarray(5);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: message.length - 1 }), { maxLength: 20 }), (cuts) => {
      const records = inRecords(message, cuts);
      assert.deepEqual(readHello(records), readHello(real));
      const prefix = readHello(records.subarray(0, records.length - 1));
      assert.equal(prefix, 'incomplete');
    }),
  );
});

test('no bytes make it throw, and a changed hello is a hello or none', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(changes, (list) => {
      const changed = Buffer.from(real);
      for (const [at, byte] of list) changed[at % changed.length] = byte;
      const read = readHello(changed);
      if (typeof read === 'string') return;
      assert.match(read.serverName ?? 'none', /^[a-z0-9._-]{1,255}$/);
    }),
    { numRuns: 3000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void readHello(Buffer.from(bytes))));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length + 4);
      const head = [22, 3, 1, ...length, 1, 0, bytes.length >> 8, bytes.length & 255];
      void readHello(Buffer.concat([Buffer.from(head), bytes]));
    }),
  );
});

test('what is too long, in too many records or of another kind is broken at once', () => {
  assert.equal(readHello(Buffer.from([0x17])), 'broken');
  assert.equal(readHello(Buffer.from([22, 2])), 'broken');
  assert.equal(readHello(Buffer.from([22, 3, 1, 0, 4, 2])), 'broken');
  assert.equal(readHello(Buffer.from([22, 3, 1, 0, 0])), 'broken');
  assert.equal(readHello(Buffer.from([22, 3, 1, 0x40, 1])), 'broken');
  assert.equal(readHello(Buffer.from([22, 3, 1, 0, 4, 1, 0, 0xff, 0xff])), 'broken');
  const message = Buffer.alloc(200);
  message.writeUInt32BE((1 << 24) | 196);
  const cuts = Array.from({ length: 199 }, (_, i) => i + 1);
  assert.equal(readHello(inRecords(message, cuts)), 'broken');
  const long = Buffer.alloc(16 * 1024 - 200);
  long.writeUInt32BE((1 << 24) | (maxHelloBytes - 4));
  assert.equal(readHello(inRecords(long, [])), 'incomplete');
});

test('a name that stands there twice, is no name or bears a NUL is broken', () => {
  const name = Buffer.from('App.Example.test');
  const at = real.indexOf(name);
  for (const bad of ['app\0example.test', 'app example.test', 'app.example.tes.', '..........bbbbbb']) {
    const changed = Buffer.from(real);
    changed.write(bad.padEnd(name.length).slice(0, name.length), at, 'latin1');
    assert.equal(readHello(changed), 'broken', bad);
  }
});

function inRecords(message: Buffer, cuts: readonly number[]): Buffer {
  const places = [...new Set([0, ...cuts, message.length])].sort((a, b) => a - b);
  return Buffer.concat(
    places.slice(1).flatMap((end, i) => {
      const part = message.subarray(places[i], end);
      return [Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part];
    }),
  );
}

/** What Node's own client says first. */
function helloOf(options: object): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes) => {
        socket.destroy();
        server.close();
        resolve(bytes);
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      connect({ socket: connectTcp(port, '127.0.0.1'), ...options }).on('error', () => {});
    });
  });
}
