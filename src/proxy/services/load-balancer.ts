// The service of most routes: picks a server for each Exchange and sends it there.

import type { LoadBalancerSpec } from '../../model/snapshot.ts';
import { GatewayError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { fail } from '../pipeline.ts';
import { forward } from '../upstream/forward.ts';
import { tunnel } from '../upstream/tunnel.ts';
import type { Rotation } from './rotation.ts';
import type { Server, ServerSource } from './server.ts';
import type { Service } from './service.ts';
import { StickyCookie } from './sticky-cookie.ts';

export class LoadBalancer implements Service, ServerSource {
  readonly name: string;
  readonly #servers: readonly Server[];
  readonly #rotation: Rotation;
  readonly #sticky: StickyCookie | null;
  readonly #passHostHeader: boolean;

  constructor(spec: LoadBalancerSpec, servers: readonly Server[], rotation: Rotation) {
    this.name = spec.name;
    this.#servers = servers;
    this.#rotation = rotation;
    this.#sticky = spec.sticky === null ? null : new StickyCookie(spec.sticky, servers);
    this.#passHostHeader = spec.passHostHeader;
  }

  handle(x: Exchange): void {
    const server = this.#pick(x);
    if (server === null) {
      fail(x, new GatewayError('service.no_server'));
      return;
    }
    x.server = server;
    if (x.isUpgrade) tunnel(x, server, this.hostFor(x, server));
    else forward(x, server, this);
  }

  hostFor(x: Exchange, server: Server): string {
    return this.#passHostHeader ? x.authority : server.authority;
  }

  another(x: Exchange, failed: Server): Server | null {
    // Two turns: the next one may be the failed server's.
    let server = this.#rotation.pick();
    if (server === failed) server = this.#rotation.pick();
    if (server === null || server === failed) return null;
    if (this.#sticky !== null) x.pinBy(this.#sticky.setCookieFor(server));
    return server;
  }

  setServerUp(url: string, up: boolean): void {
    for (const server of this.#servers) {
      if (server.url === url) server.up = up;
    }
  }

  #pick(x: Exchange): Server | null {
    if (this.#sticky === null) return this.#rotation.pick();
    const known = this.#sticky.serverOf(x.headers);
    if (known !== null) return known;
    const server = this.#rotation.pick();
    if (server !== null) x.pinBy(this.#sticky.setCookieFor(server));
    return server;
  }
}
