// All scenarios, in the order they run.

import type { Scenario } from '../scenario.ts';
import { accessLog } from './access-log.ts';
import { bodies } from './bodies.ts';
import { browser } from './browser.ts';
import { https } from './https.ts';
import { idle } from './idle.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { metrics } from './metrics.ts';
import { newConnections } from './new-connections.ts';
import { plain } from './plain.ts';
import { guarded } from './protected.ts';
import { rateLimited } from './rate-limited.ts';
import { reload } from './reload.ts';
import { routers } from './routers.ts';
import { startUp } from './start-up.ts';
import { sticky } from './sticky.ts';
import { webSockets } from './web-sockets.ts';

export const scenarios: readonly Scenario[] = [
  plain,
  latency,
  browser,
  guarded,
  rateLimited,
  sticky,
  routers,
  bodies,
  newConnections,
  https,
  idle,
  webSockets,
  accessLog,
  metrics,
  startUp,
  reload,
  memory,
];
