// The service of most routes: picks a server for each Exchange and sends it there.

import type { LoadBalancerSpec } from '../../model/snapshot.ts';
import { GatewayError } from '../errors.ts';
import type { EndTask, Exchange } from '../exchange.ts';
import { fail } from '../pipeline.ts';
import { forward } from '../upstream/forward.ts';
import { tunnel } from '../upstream/tunnel.ts';
import type { Picker } from './picker.ts';
import type { Server, ServerSource, ServerWatch } from './server.ts';
import type { Service } from './service.ts';
import { StickyCookie } from './sticky-cookie.ts';

export class LoadBalancer implements Service, ServerSource {
  readonly name: string;
  readonly #servers: readonly Server[];
  readonly #picker: Picker<Server>;
  readonly #sticky: StickyCookie<Server> | null;
  readonly #passHostHeader: boolean;
  #isUp: boolean;

  constructor(spec: LoadBalancerSpec, servers: readonly Server[], picker: Picker<Server>) {
    this.name = spec.name;
    this.#servers = servers;
    this.#picker = picker;
    this.#sticky = spec.sticky === null ? null : new StickyCookie(spec.sticky, servers);
    this.#passHostHeader = spec.passHostHeader;
    this.#isUp = servers.length > 0;
  }

  handle(x: Exchange): void {
    const server = this.#pick(x);
    if (server === null) {
      fail(x, new GatewayError('service.no_server'));
      return;
    }
    x.server = server;
    if (!x.isUpgrade) {
      forward(x, server, this);
      return;
    }
    if (server.watch !== null) x.atEnd(new WatchedTunnel(server.watch));
    tunnel(x, server, this.hostFor(x, server));
  }

  hostFor(x: Exchange, server: Server): string {
    return this.#passHostHeader ? x.authority : server.authority;
  }

  another(x: Exchange, failed: Server): Server | null {
    const server = this.#picker.pickOther(x, failed);
    if (server !== null && this.#sticky !== null) x.pinBy(this.#sticky.setCookieFor(server));
    return server;
  }

  setServerUp(url: string, up: boolean): void {
    let isUp = false;
    for (const server of this.#servers) {
      if (server.url === url) server.up = up;
      isUp ||= server.up;
    }
    this.#isUp = isUp;
  }

  isUp(): boolean {
    return this.#isUp;
  }

  #pick(x: Exchange): Server | null {
    const sticky = this.#sticky;
    if (sticky === null) return this.#picker.pick(x);
    const known = sticky.serverOf(x.headers);
    if (known !== null && !sticky.isOlderForm) return known;
    const server = known ?? this.#picker.pick(x);
    if (server !== null) x.pinBy(sticky.setCookieFor(server));
    return server;
  }
}

/** Tells a server's watch of a tunnel, whose way does not lead through `forward`. */
class WatchedTunnel implements EndTask {
  readonly #watch: ServerWatch;

  constructor(watch: ServerWatch) {
    this.#watch = watch;
    watch.began();
  }

  run(x: Exchange): void {
    // The time a tunnel stood says nothing about how soon its server answers: only failures count.
    if (x.originStatus === 0 && x.error?.blame === 'server') this.#watch.failed();
    this.#watch.left();
  }
}
