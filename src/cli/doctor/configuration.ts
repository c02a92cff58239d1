// Probe: what `check` would say, in one line.

import { formatLine } from '../../config/diagnostics.ts';
import type { Severity } from '../../model/diagnostic.ts';
import type { Finding } from './finding.ts';
import { plural } from './print.ts';
import type { Scene } from './scene.ts';

const sources = { file: 'a file', flags: 'flags', env: 'the environment', none: 'nothing' } as const;

export function probeConfiguration({ diagnostics, snapshot, usedSource }: Scene): Finding[] {
  const errors = ofSeverity('error');
  const warnings = ofSeverity('warning');
  if (usedSource === 'none' && errors.length === 0) {
    const says = 'none is given: what is asked of a configuration is left out';
    return [{ level: 'info', says, fix: 'give the gateway’s flags, or --configFile=FILE' }];
  }
  const [first] = [...errors, ...warnings];
  if (first !== undefined) {
    const says = `${plural(errors.length, 'error')}, ${plural(warnings.length, 'warning')}; first: ${formatLine(first)}`;
    const fix = '`portcullis check` with the same flags shows all of them, with their places';
    return [{ level: errors.length > 0 ? 'error' : 'warning', says, fix }];
  }
  const { routers = [], services = [], middlewares = [] } = snapshot ?? {};
  const says = `from ${sources[usedSource]}: ${routers.length} routers, ${middlewares.length} middlewares, ${services.length} services`;
  return [{ level: 'ok', says }];

  function ofSeverity(wanted: Severity): Scene['diagnostics'] {
    return diagnostics.filter(({ severity }) => severity === wanted);
  }
}
