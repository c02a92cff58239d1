// A TLS client for tests: one handshake, one request over HTTP/1.1, and all that can be seen of both.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';

export interface TlsAnswer {
  /** Of the handshake or what came instead of an answer; null for none. */
  readonly error: string | null;
  /** 0 without an answer. */
  readonly status: number;
  /** All that came, as latin1 text. */
  readonly text: string;
  /** Names in the certificate shown; empty without a handshake. */
  readonly names: string;
  readonly fingerprint: string;
  readonly version: string | null;
  readonly cipher: string;
  readonly protocol: string | false | null;
  readonly resumed: boolean;
  /** The last session that was given, to come back with. */
  readonly session: Buffer | null;
}

/** Names nobody unless `servername` is given; trusts everybody unless `rejectUnauthorized` is. */
export function tlsAsk(
  port: number,
  options: ConnectionOptions = {},
  request = 'GET /o/x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n',
): Promise<TlsAnswer> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, servername: '', ...options });
  return new Promise((resolve) => {
    let error: string | null = null;
    let text = '';
    let session: Buffer | null = null;
    let seen = unseen;
    const timer = setTimeout(() => socket.destroy(new Error('no end after 12 s')), 12_000);
    socket.on('secureConnect', () => {
      seen = look(socket);
      if (request === '') socket.end();
      else socket.write(request);
    });
    socket.on('session', (given: Buffer) => (session = given));
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', (failed: Error & { code?: string }) => (error ??= failed.code ?? failed.message));
    socket.on('close', () => {
      clearTimeout(timer);
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
      resolve({ ...seen, error, status, text, session });
    });
  });
}

const unseen = {
  names: '',
  fingerprint: '',
  version: null as string | null,
  cipher: '',
  protocol: null as string | false | null,
  resumed: false,
};

function look(socket: TLSSocket): typeof unseen {
  const certificate = socket.getPeerCertificate();
  return {
    names: certificate.subjectaltname ?? '',
    fingerprint: (certificate.fingerprint256 ?? '').replaceAll(':', '').toLowerCase(),
    version: socket.getProtocol(),
    cipher: socket.getCipher().name,
    protocol: socket.alpnProtocol,
    resumed: socket.isSessionReused(),
  };
}

/** Passes bytes on one by one until the hello is through, then as they come. */
export async function startSlicer(to: number): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connectTcp(to, '127.0.0.1').setNoDelay(true);
    for (const one of [client, upstream]) {
      sockets.add(one);
      one.on('error', () => {});
    }
    upstream.pipe(client);
    let byteByByte = 60;
    let chain = Promise.resolve();
    client.on('data', (bytes: Buffer) => {
      chain = chain.then(async () => {
        const alone = Math.min(byteByByte, bytes.length);
        byteByByte -= alone;
        for (let i = 0; i < alone; i++) {
          upstream.write(bytes.subarray(i, i + 1));
          await new Promise((resolve) => setImmediate(resolve));
        }
        upstream.write(bytes.subarray(alone));
      });
    });
    client.on('end', () => void chain.then(() => upstream.end()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  return {
    port: address.port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** TLS 1.2 and 1.3 alone, forward secrecy and AEAD suites, no compression, no insecure renegotiation. */
export async function judgeBySslscan(port: number, serverName: string): Promise<void> {
  const args = ['--no-colour', `--sni-name=${serverName}`, `127.0.0.1:${port}`];
  const { stdout } = await promisify(execFile)('sslscan', args);
  for (const old of ['SSLv2', 'SSLv3', 'TLSv1.0', 'TLSv1.1'])
    assert.match(stdout, new RegExp(`${old.replace('.', '\\.')}\\s+disabled`), old);
  const suites = [...stdout.matchAll(/^(?:Preferred|Accepted)\s+(TLSv[\d.]+)\s+\d+ bits\s+(\S+)/gm)];
  assert.ok(suites.length >= 4, stdout);
  for (const [, version, name] of suites)
    assert.match(name ?? '', version === 'TLSv1.3' ? /^TLS_/ : /^ECDHE-.*(GCM|CHACHA20)/, name);
  assert.doesNotMatch(
    stdout,
    /Insecure session renegotiation|Compression enabled|[^t] vulnerable to heartbleed/,
  );
  assert.match(stdout, /Session renegotiation not supported|Secure session renegotiation/);
}
