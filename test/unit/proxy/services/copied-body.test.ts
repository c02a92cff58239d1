// Copies of bodies that cannot be read whole.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestBody } from '../../../../src/proxy/body.ts';
import { DecodedBody } from '../../../../src/proxy/middlewares/grpc-web/decoded-body.ts';
import { CopiedBody } from '../../../../src/proxy/services/copied-body.ts';

function collected(text: string): RequestBody {
  const bytes = Buffer.from(text);
  return {
    length: bytes.length,
    received: bytes.length,
    isPiped: false,
    collected: bytes,
    pipe: () => {},
    resume: () => {},
    collect: () => Promise.resolve(bytes),
    discard: () => {},
  };
}

test('of a stored body that is no base64 there is no copy, and asking for one breaks nothing', () => {
  const copyOf = (text: string): Uint8Array | null =>
    new CopiedBody(new DecodedBody(collected(text)), 100).copy;
  assert.equal(copyOf('QQ=A'), null);
  assert.deepEqual(copyOf('QUJD'), Buffer.from('ABC'));
  assert.equal(copyOf('QUJD'.repeat(50)), null);
});
