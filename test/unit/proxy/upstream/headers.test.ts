// Header sections on their way to a server and back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toGatewayError } from '../../../../src/proxy/upstream/errors.ts';
import { readResponseHeaders } from '../../../../src/proxy/upstream/response-headers.ts';

test('hop-by-hop, nominated and Date lines of an answer go, all others stay in their order', () => {
  const raw = [
    'Set-Cookie',
    'a=1',
    'Connection',
    'close, X-Mine',
    'X-Mine',
    '1',
    'Keep-Alive',
    'timeout=5',
    'TE',
    'trailers',
  ];
  raw.push(
    'Date',
    'now',
    'Upgrade',
    'h2c',
    'Trailer',
    'X',
    'Transfer-Encoding',
    'chunked',
    'set-cookie',
    'b=2',
    'ETag',
    '"x"',
  );
  assert.deepEqual(readResponseHeaders(raw), ['set-cookie', 'a=1', 'set-cookie', 'b=2', 'etag', '"x"']);
});

test('bytes of an answer are kept as they came', () => {
  assert.deepEqual(readResponseHeaders([Buffer.from('X-Name'), Buffer.from([0x63, 0xe9])]), ['x-name', 'cé']);
});

test('every certificate complaint of Node is one of ours', () => {
  for (const code of [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'SELF_SIGNED_CERT_IN_CHAIN',
  ]) {
    assert.equal(toGatewayError(Object.assign(new Error(code), { code })).code, 'upstream.certificate', code);
  }
});
