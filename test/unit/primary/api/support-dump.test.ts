// The support dump: an archive that tar reads, with nothing secret in it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { staticMarks } from '../../../../src/config/secrets.ts';
import { redact } from '../../../../src/primary/api/redact.ts';
import { tar } from '../../../../src/primary/api/tar.ts';
import { ask, header } from './support.ts';

const config = {
  api: { insecure: true, basePath: '/' },
  providers: { docker: { password: 'cAnArY', tls: { key: 'cAnArY' }, endpoint: 'tcp://u:cAnArY@h:1' } },
  tracing: { otlp: { http: { headers: { Authorization: 'cAnArY' } } } },
};

test('the dump holds version, static configuration, objects and diagnostics', async () => {
  const answer = await ask('/api/support-dump', { facts: { staticConfig: redact(config, staticMarks()) } });
  assert.equal(header(answer, 'Content-Type'), 'application/gzip');
  assert.equal(header(answer, 'Content-Disposition'), 'attachment; filename=support-dump.tar.gz');
  assert.equal(answer.encoding, 'base64');
  const packed = Buffer.from(answer.body, 'base64');
  assert.deepEqual(list(packed), [
    'version.json',
    'static-config.json',
    'runtime-config.json',
    'diagnostics.json',
  ]);
  assert.deepEqual(JSON.parse(extract(packed, 'version.json')), {
    version: '1.2.3',
    codename: 'portcullis',
    startDate: '2026-01-01T00:00:00Z',
  });
  const written = JSON.parse(extract(packed, 'static-config.json')) as typeof config;
  assert.equal(written.providers.docker.endpoint, 'tcp://xxxx@h:1');
  const raw = JSON.parse(extract(packed, 'runtime-config.json')) as Record<string, object>;
  assert.deepEqual(Object.keys(raw), ['routers', 'middlewares', 'services']);
  for (const secret of ['cAnArY', 'Bearer abc', '$apr1$', 'PEM'])
    assert.ok(!gunzipSync(packed).toString('latin1').includes(secret), secret);
});

test('an archive has whole blocks, also for contents of awkward lengths', () => {
  for (const length of [0, 1, 511, 512, 513, 100_000]) {
    const bytes = tar([{ name: 'a', content: Buffer.alloc(length, 'x') }], 0);
    assert.equal(bytes.length % 512, 0);
    const read = execFileSync('tar', ['-xOf', '-', 'a'], { input: bytes });
    assert.equal(read.length, length);
  }
  assert.throws(() => tar([{ name: 'x'.repeat(101), content: Buffer.alloc(0) }], 0), /does not fit/);
});

function list(packed: Buffer): string[] {
  return execFileSync('tar', ['-tzf', '-'], { input: packed, encoding: 'utf8' }).trim().split('\n');
}

function extract(packed: Buffer, name: string): string {
  return execFileSync('tar', ['-xzOf', '-', name], { input: packed, encoding: 'utf8' });
}
