// The service of most routes: picks a server for each Exchange and sends it there.

import type { LoadBalancerSpec } from '../../model/snapshot.ts';
import { GatewayError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { fail } from '../respond.ts';
import { forward } from '../upstream/forward.ts';
import { tunnel } from '../upstream/tunnel.ts';
import type { Rotation } from './rotation.ts';
import type { Server } from './server.ts';
import type { Service } from './service.ts';
import { StickyCookie } from './sticky-cookie.ts';

export class LoadBalancer implements Service {
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
    const host = this.#passHostHeader ? x.authority : server.authority;
    if (x.isUpgrade) tunnel(x, server, host);
    else forward(x, server, host);
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
    if (server !== null) x.stickyCookie = this.#sticky.setCookieFor(server);
    return server;
  }
}
