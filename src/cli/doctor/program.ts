// Probe: Node, the C library, and whether the addon that listens can be loaded.

import type { Finding } from './finding.ts';

export async function probeProgram(): Promise<Finding[]> {
  // The addon alone takes 7 MB: loaded here, and only here, because a try says more than a version does.
  const { planAddon } = await import('../../proxy/entrypoints/uws/addon.ts');
  const plan = planAddon();
  const node = `Node ${process.versions.node}, ABI ${process.versions.modules}, ${process.platform}-${process.arch}`;
  if (plan.form === 'none') {
    const fix =
      'run it with Node 24 on a glibc of 2.36 or newer (Debian 12, Ubuntu 24.04 or later, no Alpine)';
    return [{ level: 'error', says: `${node}: ${plan.reason}`, fix }];
  }
  const { addonProblem } = await import('../../proxy/entrypoints/uws/verify.ts');
  const problem = addonProblem(plan);
  if (problem !== null) {
    const says = `${node}: ${problem.split('\n', 1)[0] ?? ''}`;
    return [{ level: 'error', says, fix: '`npm ci` with this very Node' }];
  }
  try {
    await import('../../proxy/entrypoints/uws/load.ts');
  } catch (error) {
    const says = `${node}: ${(error as Error).message.split('\n', 1)[0] ?? ''}`;
    return [{ level: 'error', says, fix: '`npm ci` with this very Node' }];
  }
  const form = plan.form === 'patched' ? 'a copy of uWebSockets.js for this glibc' : 'uWebSockets.js';
  return [{ level: 'ok', says: `${node}; ${form} loads` }];
}
