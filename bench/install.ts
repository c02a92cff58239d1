// Programs of others: where they are, and their installation where that is possible.

import { spawnSync } from 'node:child_process';

interface Tool {
  readonly command: string;
  readonly debian: string;
}

const tools: readonly Tool[] = [
  { command: 'nginx', debian: 'nginx-light' },
  { command: 'haproxy', debian: 'haproxy' },
  { command: 'caddy', debian: 'caddy' },
  { command: 'wrk', debian: 'wrk' },
];

/** Null when it is not on the PATH. */
export function commandPath(command: string): string | null {
  const found = spawnSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : null;
}

/** Installs what is missing from Debian when that can be done; `say` is told either way. */
export function ensureTools(say: (line: string) => void): void {
  const missing = tools.filter((tool) => commandPath(tool.command) === null).map((tool) => tool.debian);
  if (missing.length === 0) return;
  const names = missing.join(' ');
  if (process.getuid?.() !== 0 || commandPath('apt-get') === null) {
    say(`!! missing: ${names}. As root: apt-get install ${names}`);
    return;
  }
  say(`installing ${names} (apt-get install)`);
  // RUNLEVEL: the packages' services are not to be started, here we only want the programs.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  spawnSync('apt-get', ['update', '-q'], { env, stdio: 'ignore' });
  const args = ['install', '-q', '-y', '--no-install-recommends', ...missing];
  const done = spawnSync('apt-get', args, { env, encoding: 'utf8' });
  if (done.status !== 0) say(`!! apt-get could not install ${names}: ${(done.stderr ?? '').slice(-500)}`);
}
