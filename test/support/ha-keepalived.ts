// keepalived on both nodes of the pair, with the configuration and the scripts that are delivered.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hosted, Lan } from './namespaces.ts';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** `running` gets `keepalived-a` and `keepalived-b`. */
export function startKeepalived(dir: string, lan: Lan, running: Map<string, Hosted>): void {
  const scripts = join(dir, 'keepalived');
  // The scripts run as nobody.
  mkdirSync(scripts, { mode: 0o755 });
  lan.run('lan', 'chmod', '755', dir);
  for (const name of ['check-gateway.sh', 'notify.sh'])
    copyFileSync(source(`../../ops/keepalived/${name}`), join(scripts, name));
  const written = readFileSync(source('../../ops/keepalived/keepalived.conf'), 'utf8');
  const values: Readonly<Record<string, string>> = {
    NODE_A: lan.address('a'),
    NODE_B: lan.address('b'),
    ADDRESS: '10.77.0.10/24',
    ALWAYS: '10.77.0.10/32',
  };
  const text = written
    .replaceAll('/etc/keepalived', scripts)
    .replaceAll(/^\$(\w+)=.*$/gm, (line, name: string) =>
      values[name] === undefined ? line : `$${name}=${values[name]}`,
    );
  const file = join(dir, 'keepalived.conf');
  writeFileSync(file, text);
  for (const node of ['a', 'b']) {
    const pids = ['pid', 'vrrp_pid', 'checkers_pid'].map(
      (name) => `--${name}=${join(dir, `${node}.${name}`)}`,
    );
    const one = lan.start(node, [
      'keepalived',
      '--dont-fork',
      '--log-console',
      '--log-detail',
      '--vrrp',
      `--config-id=${node}`,
      `--use-file=${file}`,
      ...pids,
    ]);
    running.set(`keepalived-${node}`, one);
  }
}
