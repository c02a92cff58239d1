// Which certificate and which options a client gets, and the TLS servers made of the two.

import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { CertificateSpec, TlsOptionsSpec } from '../../../model/tls.ts';
import { problemOf, serverTlsOptions, ticketKeyLife, ticketKeys } from '../../../tls/server-options.ts';
import { HostOptions } from '../client-demands.ts';
import type { ListenerPlan } from '../listener.ts';
import type { Hello } from './hello.ts';
import { handshakeTimeout, maxTlsServers } from './limits.ts';
import { admits, certificatesOf, factsOf, fingerprintsOf, type Secured } from './secured.ts';

/** RFC 8446 §6.2: why a handshake fails, in the one byte a client is told. */
export const alerts = {
  decodeError: 50,
  internalError: 80,
  unrecognizedName: 112,
  noApplicationProtocol: 120,
} as const;

export const challengeProtocol = 'acme-tls/1';

export interface TermsHooks {
  /** The handshake is over, and the client may come in. */
  readonly secured: (socket: TLSSocket, secured: Secured) => void;
  /** 32 bytes, hex. */
  readonly bootSecret: string;
  readonly warn: (message: string) => void;
}

interface Made {
  readonly server: Server;
  readonly options: TlsOptionsSpec;
  /** Which life of ticket keys it seals with. */
  ticketLife: number;
}

/** Never listens: each server is handed the connections that are for it. */
export class TlsTerms {
  readonly #hooks: TermsHooks;
  #plan: ListenerPlan;
  #hosts = new HostOptions([]);
  /** By options and certificate, the one used last at the end; at most `maxTlsServers`. */
  readonly #made = new Map<string, Made>();
  #version = -1;
  /** Names of options that were complained about; as many as there are, at most. */
  readonly #unusable = new Set<string>();

  constructor(plan: ListenerPlan, hooks: TermsHooks) {
    this.#plan = plan;
    this.#hooks = hooks;
    this.update(plan);
  }

  update(plan: ListenerPlan): void {
    this.#plan = plan;
    this.#unusable.clear();
    this.#hosts = new HostOptions(plan.spec.hosts);
    for (const [key, { options }] of this.#made)
      if (plan.options.get(options.name) !== options) this.#made.delete(key);
  }

  /** Name of the options a host is served with. */
  optionsFor(host: string): string {
    return this.#hosts.nameFor(host);
  }

  /** The server to hand the connection to, or the alert to refuse it with. */
  choose({ serverName, protocols }: Hello, localAddress: string): Server | number {
    // RFC 8737 §3: a certificate authority asks for nothing else, and gets nothing else.
    if (protocols.includes(challengeProtocol)) return this.#challenge(serverName);
    const name = serverName === null ? 'default' : this.optionsFor(serverName);
    const options = this.#plan.options.get(name);
    if (options === undefined || problemOf(options) !== null) return alerts.internalError;
    const { certificates } = this.#plan;
    // Who names nobody has gone by the address.
    const found = certificates.find(serverName ?? localAddress);
    if (found === null && options.sniStrict) return alerts.unrecognizedName;
    const certificate = found ?? certificates.fallback;
    if (certificate === null) return alerts.internalError;
    return this.#serverFor(options, certificate);
  }

  #serverFor(options: TlsOptionsSpec, certificate: CertificateSpec): Server | number {
    const { version } = this.#plan.certificates;
    if (version !== this.#version) {
      // Keys of certificates that are gone are not kept; others are made anew when they are asked for.
      this.#made.clear();
      this.#version = version;
    }
    const key = `${certificate.fingerprint} ${options.name}`;
    const made = this.#made.get(key) ?? this.#make(options, certificate);
    if (made === null) return alerts.internalError;
    this.#made.delete(key);
    this.#made.set(key, made);
    if (this.#made.size > maxTlsServers) this.#made.delete(this.#made.keys().next().value as string);
    this.#renewTicketKeys(made);
    return made.server;
  }

  /** Null when OpenSSL cannot work with the two. */
  #make(options: TlsOptionsSpec, certificate: CertificateSpec): Made | null {
    const type = options.clientAuth?.type ?? 'NoClientCert';
    try {
      const server = createServer({ ...serverTlsOptions(options, certificate), handshakeTimeout });
      const authorities = fingerprintsOf(options.clientAuth?.cas ?? []);
      server.on('secureConnection', (socket) => {
        if (!admits(type, socket)) {
          socket.destroy();
          return;
        }
        const certificates = certificatesOf(type, socket, authorities);
        this.#hooks.secured(socket, {
          options: options.name,
          asked: options.clientAuth,
          certificates,
          facts: factsOf(socket, certificates),
        });
      });
      server.on('tlsClientError', refuse);
      return { server, options, ticketLife: -1 };
    } catch (error) {
      // Of OpenSSL's words only the code: they are about a text that holds a key.
      const { code = 'unknown' } = error as { code?: string };
      if (!this.#unusable.has(options.name))
        this.#hooks.warn(`TLS options ${options.name} cannot be used, handshakes with them fail: ${code}`);
      this.#unusable.add(options.name);
      return null;
    }
  }

  #renewTicketKeys(made: Made): void {
    if (!made.options.sessionTickets) return;
    const now = Date.now();
    const life = Math.floor(now / ticketKeyLife);
    if (made.ticketLife === life) return;
    made.ticketLife = life;
    made.server.setTicketKeys(ticketKeys(this.#hooks.bootSecret, made.options, now));
  }

  /** For one handshake: it has nothing to say behind it. */
  #challenge(serverName: string | null): Server | number {
    const challenge = serverName === null ? undefined : this.#plan.alpnChallenges.get(serverName);
    if (challenge === undefined) return alerts.noApplicationProtocol;
    const { cert, key } = challenge;
    try {
      const server = createServer({
        cert,
        key,
        ca: [],
        ALPNProtocols: [challengeProtocol],
        handshakeTimeout,
      });
      server.on('secureConnection', (socket) => {
        socket.on('error', ignore);
        // Nothing is ever read.
        socket.end();
        socket.setTimeout(handshakeTimeout, () => socket.destroy());
      });
      server.on('tlsClientError', refuse);
      return server;
    } catch {
      return alerts.internalError;
    }
  }
}

function refuse(_error: Error, socket: TLSSocket): void {
  socket.destroy();
}

function ignore(): void {}
