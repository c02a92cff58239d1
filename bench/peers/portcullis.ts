// The gateway itself.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Site } from '../site.ts';
import { isLimited, isSticky, type Peer } from './peer.ts';
import { dynamicFile, staticFlags } from './traefik-words.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export const portcullis: Peer = {
  name: 'portcullis',
  command: null,
  version: [main, 'version'],
  compiles: true,
  plan(site, place) {
    const dynamic = join(place.folder, 'dynamic.yml');
    const args = [main, ...staticFlags(site, place, dynamic), `--workers=${place.cores}`];
    return {
      label: labelOf(site),
      files: { [dynamic]: dynamicFile(site, place) },
      program: { command: process.execPath, args },
      // It watches the file.
      reload: () => undefined,
    };
  },
};

function labelOf(site: Site): string {
  if (isLimited(site)) return 'portcullis rateLimit';
  return isSticky(site) ? 'portcullis sticky.cookie' : 'portcullis';
}
