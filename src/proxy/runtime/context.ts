// What assembling a Runtime is given, and what its parts share while it goes on.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { WorkerMeters } from '../../observability/worker-metrics.ts';
import type { BuildDeps } from '../middlewares/define.ts';
import type { InternalFacts } from '../services/internal.ts';
import type { SessionRoom } from '../services/sticky-header.ts';
import type { Service } from '../services/service.ts';
import type { BuiltMiddleware } from './build-middlewares.ts';
import type { BuiltRoute } from './build-routes.ts';
import type { KeepHandle } from './keep.ts';
import type { Reuse } from './reuse.ts';
import type { Runtime } from './runtime.ts';
import type { Slots } from './slots.ts';

export interface AssembleDeps {
  readonly entryPoints: readonly string[];
  readonly kept: KeepHandle;
  readonly internal: InternalFacts;
  /** Told of a server that has failed as often as its service's passive health check allows. */
  readonly serverFails?: (service: string, url: string) => void;
  /** Absent: no header is sticky. */
  readonly sessions?: SessionRoom;
  /** Null or absent: nothing is counted. */
  readonly meters?: WorkerMeters | null;
  /** What every middleware's build gets, but for its name, slots and services. */
  readonly build: Omit<BuildDeps, 'name' | 'router' | 'slot' | 'keep' | 'service'>;
  /** The running one, whose unchanged parts are taken over; it must not be disposed of yet. */
  readonly previous?: Runtime | null;
}

/** What one Runtime leaves to the next. */
export interface Inheritance {
  readonly services: Reuse<Service>;
  readonly middlewares: Reuse<BuiltMiddleware>;
  readonly routes: Reuse<BuiltRoute>;
  readonly slots: Slots;
}

export interface BuildContext extends AssembleDeps, Inheritance {
  readonly diagnostics: Diagnostic[];
}
