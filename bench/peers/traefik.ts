// Traefik, where it is on the PATH.

import { join } from 'node:path';
import type { Site } from '../site.ts';
import { hasGuard, isLimited, isSticky, type Peer } from './peer.ts';
import { dynamicFile, staticFlags } from './traefik-words.ts';

export const traefik: Peer = {
  name: 'traefik',
  command: 'traefik',
  version: ['version'],
  plan(site, place) {
    if (hasGuard(site, 'cached')) return { unable: 'its forwardAuth has no cache' };
    const dynamic = join(place.folder, 'dynamic.yml');
    return {
      label: labelOf(site),
      files: { [dynamic]: dynamicFile(site, place) },
      program: {
        command: 'traefik',
        args: staticFlags(site, place, dynamic),
        env: { GOMAXPROCS: String(place.cores) },
      },
      reload: () => undefined,
    };
  },
};

function labelOf(site: Site): string {
  if (isLimited(site)) return 'traefik rateLimit';
  if (isSticky(site)) return 'traefik sticky.cookie';
  return hasGuard(site, 'asked') ? 'traefik forwardAuth' : 'traefik';
}
