// `portcullis [flags]`: the gateway itself.

import type { Command } from './command.ts';

export const run: Command = {
  name: 'run',
  summary: 'Run the gateway; what happens without a command',
  usage: ['[flags]', 'run [flags]'],
  run: async ({ argv, env, cwd, err }) => {
    const { addonProblem } = await import('../proxy/entrypoints/uws/verify.ts');
    const problem = addonProblem();
    if (problem !== null) {
      err(`portcullis: ${problem}\n`);
      return 1;
    }
    const { startPrimary } = await import('../primary/boot.ts');
    const code = await startPrimary({ argv, env, cwd });
    // A handle somebody forgot must not keep a stopped gateway alive.
    process.exit(code);
  },
};
