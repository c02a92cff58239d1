// New connections to a server that is to speak HTTP/2: TCP, or TLS with a choice of protocols.

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { TransportSpec } from '../../../model/snapshot.ts';
import { peerOptions, tlsOptions } from '../tls-options.ts';

export interface Http2Dialler {
  readonly scheme: 'http' | 'https';
  /** Host and port. */
  readonly authority: string;
  /** Begins to connect; throws when the TLS settings are no use. */
  dial(): Socket;
}

/** The server chose another protocol: nothing was said to it yet. */
export class NoHttp2Error extends Error {
  override readonly name = 'NoHttp2Error';
}

/** `h2c://host:port` or `https://host:port`. Throws `TypeError` for other URLs. */
export function createHttp2Dialler(url: string, transport: TransportSpec): Http2Dialler {
  const isTls = url.startsWith('https:');
  if (!isTls && !url.startsWith('h2c:')) throw new TypeError('no HTTP/2 over this scheme');
  // Of a scheme it does not know the parser makes no host.
  const { hostname, port, host: authority } = new URL(isTls ? url : url.replace('h2c:', 'http:'));
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  const address = { host, port: Number(port) || (isTls ? 443 : 80), ...socketOptions };
  if (!isTls) return { scheme: 'http', authority, dial: () => connectTcp(address) };
  return { scheme: 'https', authority, dial: tlsDial(address, transport) };
}

/** Throws `NoHttp2Error` unless `socket` is one to speak HTTP/2 on. */
export function checkChoice(socket: Socket): void {
  const { alpnProtocol } = socket as Partial<TLSSocket>;
  if (alpnProtocol !== undefined && alpnProtocol !== 'h2') throw new NoHttp2Error('no h2 by ALPN');
}

// A server whose machine vanished is noticed by the kernel, not by the next client.
const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 };

type Address = { readonly host: string; readonly port: number } & typeof socketOptions;

function tlsDial(address: Address, transport: TransportSpec): () => Socket {
  // RFC 6066 §3: no IP addresses in SNI.
  const servername = transport.serverName ?? (isIP(address.host) === 0 ? address.host : '');
  let context: SecureContext | null = null;
  return () => {
    context ??= createSecureContext(tlsOptions(transport));
    return connectTls({
      ...address,
      ...peerOptions(transport),
      secureContext: context,
      ALPNProtocols: ['h2', 'http/1.1'],
      ...(servername === '' ? {} : { servername }),
    });
  };
}
