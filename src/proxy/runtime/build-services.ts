// Services of a Snapshot → what Exchanges end at.

import type {
  FailoverSpec,
  MiddlewareSpec,
  NestedServiceSpec,
  ServiceSpec,
  Snapshot,
} from '../../model/snapshot.ts';
import type { Hooks } from '../hooks.ts';
import { findMiddleware } from '../middlewares/catalogue.ts';
import { Failover, failoverHooks } from '../services/failover.ts';
import { HighestRandomWeight } from '../services/highest-random-weight.ts';
import { buildInternalService } from '../services/internal.ts';
import { MirrorBudget } from '../services/mirror-budget.ts';
import { Mirroring } from '../services/mirroring.ts';
import { Child, SharedService } from '../services/nested.ts';
import { Rotation } from '../services/rotation.ts';
import type { Service } from '../services/service.ts';
import { StickyHeader } from '../services/sticky-header.ts';
import { ServiceWithMiddlewares } from '../services/with-middlewares.ts';
import { buildLoadBalancer, type KeyedTransport, keyed } from './build-load-balancer.ts';
import { type BuiltMiddlewares, ownerOfService, slotOwner } from './build-middlewares.ts';
import type { BuildContext } from './context.ts';
import { problem } from './problem.ts';

export type Services = ReadonlyMap<string, Service>;

/**
 * By qualified name; broken ones are left out. A service whose spec, transport, servers and services within are
 * the same as in the Runtime before is taken over with its state; whatever else one is built of belongs into
 * `inputs`. Those with middlewares of their own serve once `bindMiddlewares` was called.
 */
export function buildServices(snapshot: Snapshot, context: BuildContext): Services {
  const build = new ServiceBuild(snapshot, context);
  for (const spec of snapshot.services) build.service(spec.name);
  return build.services;
}

/** Gives services their own middlewares, which could not be built before them. */
export function bindMiddlewares(
  specs: readonly ServiceSpec[],
  services: Services,
  middlewares: BuiltMiddlewares,
  context: BuildContext,
): void {
  for (const spec of specs) {
    const service = services.get(spec.name);
    if (spec.kind === 'internal' || spec.middlewares === undefined) continue;
    if (!(service instanceof ServiceWithMiddlewares)) continue;
    // Also for one that is bound: what its middlewares keep is kept for this Runtime, too.
    const made = spec.middlewares.map((name) => middlewares.of(name, ownerOfService(spec.name)));
    if (service.isBound) continue;
    const at = made.findIndex((one) => typeof one === 'string');
    const broken = at === -1 ? null : `middleware "${spec.middlewares[at]}": ${made[at] as string}`;
    service.bind(broken === null ? (made as readonly Hooks[]) : [], broken);
    if (broken !== null) context.diagnostics.push(problem('runtime.service', spec.name, broken));
  }
}

class ServiceBuild {
  readonly services = new Map<string, Service>();
  readonly #specs: ReadonlyMap<string, ServiceSpec>;
  readonly #middlewares: ReadonlyMap<string, MiddlewareSpec>;
  readonly #transports: ReadonlyMap<string, KeyedTransport>;
  readonly #context: BuildContext;
  /** Those that are built at this moment: one that contains itself ends here, whatever the primary let pass. */
  readonly #open = new Set<string>();

  constructor(snapshot: Snapshot, context: BuildContext) {
    this.#specs = new Map(snapshot.services.map((spec) => [spec.name, spec]));
    this.#middlewares = new Map(snapshot.middlewares.map((spec) => [spec.name, spec]));
    this.#transports = new Map(snapshot.transports.map((spec) => [spec.name, keyed(spec)]));
    this.#context = context;
  }

  /** Null when it is broken, or anything in it. */
  service(name: string): Service | null {
    const known = this.services.get(name);
    if (known !== undefined) return known;
    const spec = this.#specs.get(name);
    if (spec === undefined || spec.errors.length > 0 || this.#open.has(name)) return null;
    this.#open.add(name);
    const bare = this.#bare(spec);
    this.#open.delete(name);
    if (bare === null) return null;
    const service = this.#withMiddlewares(spec, bare);
    this.services.set(name, service);
    return service;
  }

  #bare(spec: ServiceSpec): Service | null {
    const context = this.#context;
    const get = (inputs: readonly unknown[], build: () => Service): Service =>
      context.services.get(`${spec.name}${bareMark(spec)}`, [spec, ...inputs], build);
    if (spec.kind === 'internal') return get([], () => buildInternalService(spec, context.internal));
    if (spec.kind === 'loadBalancer') {
      const transport = this.#transports.get(spec.serversTransport);
      if (transport === undefined || transport.spec.errors.length > 0) return null;
      return get([transport.spec], () => buildLoadBalancer(spec, transport, context));
    }
    const within = namesIn(spec).map((name) => this.service(name));
    if (within.includes(null)) return null;
    return get(within, () => buildNested(spec, within as readonly Service[], context));
  }

  #withMiddlewares(spec: ServiceSpec, bare: Service): Service {
    if (spec.kind === 'internal' || spec.middlewares === undefined) return bare;
    const { services, diagnostics } = this.#context;
    const specs = spec.middlewares.map((name) => this.#middlewares.get(name));
    const before = services.before(spec.name)?.thing;
    const wasBroken = before instanceof ServiceWithMiddlewares && before.isBroken;
    // These may be built anew although their options are the same: so must be what holds them.
    const isFresh = wasBroken || specs.some((one) => one !== undefined && asksFurther(one));
    const inputs = [spec, bare, ...specs, ...(isFresh ? [diagnostics] : [])];
    return services.get(spec.name, inputs, () => new ServiceWithMiddlewares(bare));
  }
}

/** No name holds a line feed: what stands within a service with middlewares has a key of its own. */
function bareMark(spec: ServiceSpec): string {
  return spec.kind === 'internal' || spec.middlewares === undefined ? '' : '\nbare';
}

function asksFurther(spec: MiddlewareSpec): boolean {
  const definition = findMiddleware(spec.kind);
  if (definition === null || spec.errors.length > 0) return false;
  return definition.services !== undefined;
}

function namesIn(spec: NestedServiceSpec): readonly string[] {
  switch (spec.kind) {
    case 'mirroring':
      return [spec.service, ...spec.mirrors.map(({ name }) => name)];
    case 'failover':
      return [spec.service, spec.fallback];
    default:
      return spec.children.filter(({ weight }) => weight > 0).map(({ name }) => name);
  }
}

/** `within`: in the order of `namesIn`. */
function buildNested(spec: NestedServiceSpec, within: readonly Service[], context: BuildContext): Service {
  const { name } = spec;
  const main = within[0] as Service;
  switch (spec.kind) {
    case 'mirroring': {
      const budget = context.kept.get('mirrors', () => new MirrorBudget());
      const mirrors = spec.mirrors.map(({ percent }, i) => ({ service: within[i + 1] as Service, percent }));
      const { mirrorBody, maxBodySize } = spec;
      return new Mirroring({ name, main, mirrors, mirrorBody, maxBodySize, budget });
    }
    case 'failover':
      return buildFailover(spec, main, within[1] as Service, context);
    default: {
      const children = spec.children
        .filter(({ weight }) => weight > 0)
        .map((child, i) => new Child(child, within[i] as Service, spec.followsHealth));
      const isByClient = spec.kind === 'highestRandomWeight';
      const picker = isByClient ? new HighestRandomWeight(children) : new Rotation(children, 0);
      if (isByClient) return new SharedService({ name, children, picker, sticky: null, header: null });
      const { sticky, stickyHeader } = spec;
      const room = context.sessions ?? null;
      const header =
        stickyHeader === undefined || room === null
          ? null
          : new StickyHeader(name, stickyHeader, children, room);
      return new SharedService({ name, children, picker, sticky, header });
    }
  }
}

function buildFailover(
  { name, onErrors }: FailoverSpec,
  main: Service,
  fallback: Service,
  context: BuildContext,
): Service {
  if (onErrors === null) return new Failover({ name, main, fallback, slot: null });
  const slot = context.slots.sequence(ownerOfService(name))();
  const service = new ServiceWithMiddlewares(new Failover({ name, main, fallback, slot }));
  service.bind([failoverHooks(onErrors, slot)], null);
  return service;
}

/** Names of the services that need places in `x.slots`, as `Slots` knows them. */
export function slotOwners(specs: readonly ServiceSpec[]): readonly string[] {
  return specs.flatMap((spec) => {
    if (spec.kind === 'internal') return [];
    const owner = ownerOfService(spec.name);
    const own = spec.kind === 'failover' && spec.onErrors !== null ? [owner] : [];
    return [...own, ...(spec.middlewares ?? []).map((name) => slotOwner(name, owner))];
  });
}
