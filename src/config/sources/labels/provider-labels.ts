// `traefik.enable` and `traefik.docker.*`: what a container tells the provider about itself.

import type { Diagnostic } from '../../../model/diagnostic.ts';
import { bool } from '../../../proxy/middlewares/fields.ts';
import { nearest } from '../../decode/unknown-keys.ts';
import { unsupported } from '../../dynamic/load.ts';
import type { DottedValue } from '../dotted.ts';

export interface ProviderLabels {
  /** Null: not written. */
  readonly enable: boolean | null;
  /** Null: not written. */
  readonly network: string | null;
  /** Keep the definitions while the container does not run. */
  readonly allowNonRunning: boolean;
  /** False: one of these labels can't be read, and nothing of the container may be used. */
  readonly sound: boolean;
}

/** `values` have paths below `traefik`. */
export function readProviderLabels(
  values: readonly DottedValue[],
  diagnostics: Diagnostic[],
): ProviderLabels {
  const read = { enable: null as boolean | null, network: null as string | null, allowNonRunning: false };
  let sound = true;
  const flag = ({ value, where }: DottedValue): boolean => {
    const parsed = bool.safeParse(value.trim());
    if (parsed.success) return parsed.data;
    sound = false;
    const message = `the value is ${JSON.stringify(value.slice(0, 40))}, expected true or false: the container is left out`;
    diagnostics.push({ severity: 'error', code: 'config.invalid_value', message, where });
    return false;
  };
  for (const entry of values) {
    const key = entry.path.join('.').toLowerCase();
    if (key === 'enable') read.enable = flag(entry);
    else if (key === 'docker.network') read.network = entry.value.trim() === '' ? null : entry.value.trim();
    else if (key === 'docker.allownonrunning') read.allowNonRunning = flag(entry);
    else if (key === 'docker.lbswarm') diagnostics.push(swarmOnly(entry));
    else {
      sound = false;
      diagnostics.push(unknown(entry, key));
    }
  }
  return { ...read, sound };
}

function swarmOnly({ where }: DottedValue): Diagnostic {
  const message = 'balancing by Swarm is not supported: this label is left out';
  return {
    severity: 'error',
    code: unsupported,
    message,
    where,
    hint: 'remove it: containers are balanced here',
  };
}

const known = ['enable', 'docker.network', 'docker.allowNonRunning'];

function unknown({ where }: DottedValue, key: string): Diagnostic {
  const near = nearest(key, known);
  return {
    severity: 'error',
    code: 'config.unknown_key',
    message: `unknown label \`${(where.path ?? '').slice(0, 80)}\`: the container is left out`,
    where,
    hint:
      near === null ? `there are traefik.${known.join(', traefik.')}` : `did you mean \`traefik.${near}\`?`,
  };
}
