// All scenarios, in the order they run.

import type { Scenario } from '../scenario.ts';
import { accessLog } from './access-log.ts';
import { bodies } from './bodies.ts';
import { browser } from './browser.ts';
import { idle } from './idle.ts';
import { newConnections } from './new-connections.ts';
import { plain } from './plain.ts';
import { guarded } from './protected.ts';
import { reload } from './reload.ts';
import { routers } from './routers.ts';
import { startUp } from './start-up.ts';
import { webSockets } from './web-sockets.ts';

export const scenarios: readonly Scenario[] = [
  plain,
  browser,
  guarded,
  routers,
  bodies,
  newConnections,
  idle,
  webSockets,
  accessLog,
  startUp,
  reload,
];
