// All dashboards, as the files that Grafana is given.

import { auth } from './boards/auth.ts';
import { certificates } from './boards/certificates.ts';
import { overview } from './boards/overview.ts';
import { pair } from './boards/pair.ts';
import { processes } from './boards/processes.ts';
import { router } from './boards/router.ts';
import { upstream } from './boards/upstream.ts';
import { buildBoard } from './parts/board.ts';

export interface DashboardFile {
  readonly name: string;
  readonly text: string;
}

export function dashboardFiles(): readonly DashboardFile[] {
  return [overview, router, auth, upstream, processes, pair, certificates].map((board) => ({
    name: `${board.uid}.json`,
    text: `${JSON.stringify(buildBoard(board), null, 2)}\n`,
  }));
}
