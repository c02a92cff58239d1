// The service of most routes: picks a server for each Exchange and sends it there.

import type { LoadBalancerSpec } from '../../model/snapshot.ts';
import { GatewayError } from '../errors.ts';
import type { EndTask } from '../exchange-work.ts';
import type { Exchange } from '../exchange.ts';
import { fail } from '../pipeline.ts';
import { forward } from '../upstream/forward.ts';
import { tunnel } from '../upstream/tunnel.ts';
import type { Picker } from './picker.ts';
import type { Server, ServerSource, ServerWatch } from './server.ts';
import type { Service } from './service.ts';
import { StickyCookie } from './sticky-cookie.ts';
import { type Seated, type SessionRoom, StickyHeader, whenSeated } from './sticky-header.ts';

export class LoadBalancer implements Service, ServerSource, Seated<Server> {
  readonly name: string;
  readonly #servers: readonly Server[];
  readonly #picker: Picker<Server>;
  readonly #sticky: StickyCookie<Server> | null;
  readonly #header: StickyHeader<Server> | null;
  readonly #passHostHeader: boolean;
  #isUp = false;
  #keepsSessions = false;

  /** `room`: needed where a header is sticky. */
  constructor(
    spec: LoadBalancerSpec,
    servers: readonly Server[],
    picker: Picker<Server>,
    room: SessionRoom | null = null,
  ) {
    this.name = spec.name;
    this.#servers = servers;
    this.#picker = picker;
    this.#sticky = spec.sticky === null ? null : new StickyCookie(spec.sticky, servers);
    const { name, stickyHeader: header } = spec;
    this.#header =
      header === undefined || room === null ? null : new StickyHeader(name, header, servers, room);
    this.#passHostHeader = spec.passHostHeader;
    this.#lookAround();
  }

  handle(x: Exchange): void {
    const header = this.#header;
    if (header === null) {
      this.seated(x, this.#pick(x));
      return;
    }
    const id = header.idIn(x.headers);
    if (id !== null) {
      whenSeated(x, header.seat(x, id, this), this);
      return;
    }
    const server = this.#pick(x);
    if (server !== null) header.begin(x, server);
    this.seated(x, server);
  }

  seated(x: Exchange, server: Server | null): void {
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
    if (server !== null && this.#header?.mayTurn(x, server) === false) return null;
    if (server !== null && this.#sticky !== null) x.pinBy(this.#sticky.setCookieFor(server));
    return server;
  }

  setServerUp(url: string, up: boolean): void {
    for (const server of this.#servers) if (server.url === url) server.setHealth(up);
    this.#lookAround();
  }

  setDraining(url: string, isDraining: boolean): void {
    for (const server of this.#servers) if (server.url === url) server.setDraining(isDraining);
    this.#lookAround();
  }

  isUp(): boolean {
    return this.#isUp;
  }

  keepsSessions(): boolean {
    return this.#keepsSessions;
  }

  #lookAround(): void {
    this.#isUp = this.#servers.some(({ up }) => up);
    this.#keepsSessions = this.#servers.some(({ keeps }) => keeps);
  }

  #pick(x: Exchange): Server | null {
    return this.#sticky === null ? this.#picker.pick(x) : this.#sticky.choose(x, this.#picker);
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
