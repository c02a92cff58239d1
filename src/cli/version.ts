// `portcullis version`.

import { packageVersion } from '../primary/package-version.ts';
import type { Command } from './command.ts';

export const version: Command = {
  name: 'version',
  summary: 'Print the version',
  usage: ['version'],
  run: async ({ argv: [extra], out, err }) => {
    if (extra !== undefined) {
      err(`portcullis version: unknown argument ${JSON.stringify(extra.slice(0, 80))}\n`);
      return 2;
    }
    out(
      `Version:  ${packageVersion()}\nNode:     ${process.version}\nPlatform: ${process.platform}/${process.arch}\n`,
    );
    return 0;
  },
};
