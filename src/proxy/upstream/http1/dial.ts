// New connections to one server: TCP, TLS over TCP, or a unix socket.

import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { TransportSpec } from '../../../model/snapshot.ts';
import { peerOptions, tlsOptions } from '../tls-options.ts';

export interface Dialler {
  readonly isTls: boolean;
  /** Begins to connect; what is read goes to `onread`. Throws when the TLS settings are no use. */
  dial(onread: OnReadOpts): Socket;
}

/** `http://host:port`, `https://host:port` or `unix:/path`. Throws `TypeError` for other URLs. */
export function createDialler(url: string, transport: TransportSpec): Dialler {
  if (url.startsWith('unix:')) {
    const path = url.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    return { isTls: false, dial: (onread) => connectTcp({ path, onread }) };
  }
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`no HTTP/1.1 over ${protocol}`);
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  const isTls = protocol === 'https:';
  const address = { host, port: Number(port) || (isTls ? 443 : 80), ...socketOptions };
  if (!isTls) return { isTls, dial: (onread) => connectTcp({ ...address, onread }) };
  return new TlsDialler(address, transport);
}

// A server whose machine vanished is noticed by the kernel, not by the next client.
const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 };

type Address = { readonly host: string; readonly port: number } & typeof socketOptions;

class TlsDialler implements Dialler {
  readonly isTls = true;
  readonly #address: Address;
  readonly #transport: TransportSpec;
  readonly #servername: string;
  #context: SecureContext | null = null;
  /** The last session of a connection whose certificate was checked: the next handshake is shorter. */
  #session: Buffer | null = null;

  constructor(address: Address, transport: TransportSpec) {
    this.#address = address;
    this.#transport = transport;
    // RFC 6066 §3: no IP addresses in SNI.
    this.#servername = transport.serverName ?? (isIP(address.host) === 0 ? address.host : '');
  }

  dial(onread: OnReadOpts): Socket {
    this.#context ??= createSecureContext(tlsOptions(this.#transport));
    const socket = connectTls({
      ...this.#address,
      ...peerOptions(this.#transport),
      secureContext: this.#context,
      ALPNProtocols: ['http/1.1'],
      ...(this.#servername === '' ? {} : { servername: this.#servername }),
      ...(this.#session === null ? {} : { session: this.#session }),
      // Node takes it; its types do not say so.
      ...({ onread } as object),
    });
    this.#keepSession(socket);
    return socket;
  }

  #keepSession(socket: TLSSocket): void {
    let early: Buffer | null = null;
    let checked = false;
    socket.on('session', (session) => {
      if (checked) this.#session = session;
      else early = session;
    });
    socket.once('secureConnect', () => {
      checked = true;
      if (early !== null) this.#session = early;
    });
  }
}
