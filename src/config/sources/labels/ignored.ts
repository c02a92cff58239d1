// Labels that nobody reads: of version 1, of Swarm, misspelt, or simply somebody else's.

import { distance } from 'fastest-levenshtein';
import type { Diagnostic, Place } from '../../../model/diagnostic.ts';
import { unsupported } from '../../dynamic/load.ts';
import { nearest } from '../../decode/unknown-keys.ts';

const service = 'traefik.http.services.<name>.loadbalancer';
const router = 'traefik.http.routers.<name>';
const middleware = 'traefik.http.middlewares.<name>';

/** Below `traefik.`, an optional segment name taken out; first match wins. */
const versionOne: readonly (readonly [RegExp, string])[] = [
  [/^frontend\.rule$/, `${router}.rule=Host(\`example.com\`)`],
  [/^frontend\.entrypoints$/, `${router}.entrypoints`],
  [/^frontend\.priority$/, `${router}.priority`],
  [/^frontend\.passhostheader$|^passhostheader$/, `${service}.passhostheader`],
  [/^frontend\.auth\.basic/, `${middleware}.basicauth.users, listed in ${router}.middlewares`],
  [/^frontend\.auth\.forward/, `${middleware}.forwardauth.address, listed in ${router}.middlewares`],
  [/^frontend\.redirect/, `${middleware}.redirectscheme or .redirectregex, listed in ${router}.middlewares`],
  [/^frontend\.headers/, `${middleware}.headers, listed in ${router}.middlewares`],
  [/^frontend\.whitelist/, `${middleware}.ipallowlist.sourcerange, listed in ${router}.middlewares`],
  [/^frontend(\.|$)/, `${router}, with ${middleware} for what it does to requests`],
  [/^port$/, `${service}.server.port`],
  [/^protocol$/, `${service}.server.scheme`],
  [/^weight$/, `${service}.server.weight`],
  [/^backend\.loadbalancer\.(sticky|stickiness)/, `${service}.sticky.cookie`],
  [/^backend\.healthcheck/, `${service}.healthcheck`],
  [/^backend(\.|$)/, `${router}.service and ${service}`],
  [/^entrypoints(\.|$)/, `${router}.entrypoints; entry points themselves are static configuration`],
  [/^(rule|tls|priority|middlewares|service)(\.|$)/, `it under ${router}`],
  [/^(domain|tags|servicenametemplate)$/, `${router}.rule`],
];

/** Of a label under `traefik.` that isn't read; null when it is one that is. */
export function ignoredLabel(label: string, where: Place): Diagnostic | null {
  const below = label.slice('traefik.'.length).toLowerCase();
  const first = below.split('.', 1)[0] as string;
  if (/^(http|tcp|udp)\./.test(below) || below.startsWith('tls.stores.default')) return null;
  if (first === 'swarm') {
    const message = 'Swarm is not supported: this label is left out';
    return { severity: 'error', code: unsupported, message, where, hint: 'write traefik.docker.network' };
  }
  if (/^(tls)\.(options|certificates|stores)(\.|\[|$)/.test(below)) {
    const hint = 'write it into a file of the file provider';
    return ignored(where, 'TLS options and certificates are not read from labels', hint);
  }
  if (first === 'network' || first === 'allownonrunning')
    return ignored(where, 'this label is read by nobody', `write traefik.docker.${first}`);
  if (/^(routers?|services?|middlewares?)\./.test(below))
    return ignored(where, 'this label is read by nobody', `write traefik.http.${below.slice(0, 80)}`);
  for (const [pattern, instead] of versionOne) {
    // v1 allowed a segment's name before the rest: traefik.admin.port.
    if (pattern.test(below) || (first !== below && isSegment(pattern, below)))
      return ignored(where, 'this is a label of version 1, which nobody reads', `write ${instead}`);
  }
  const near = nearest(first, ['http', 'tcp', 'udp', 'docker', 'enable']);
  if (near !== null)
    return ignored(where, 'this label is read by nobody', `did you mean \`traefik.${near}\`?`);
  return { severity: 'info', code: 'config.ignored_label', message: 'this label is read by nobody', where };
}

function isSegment(pattern: RegExp, below: string): boolean {
  const rest = below.slice(below.indexOf('.') + 1);
  return /^(frontend|backend|port$|protocol$|weight$)/.test(rest) && pattern.test(rest);
}

function ignored(where: Place, message: string, hint: string): Diagnostic {
  return { severity: 'warning', code: 'config.ignored_label', message, where, hint };
}

/** `treafik.enable`: one letter off, or two that changed places. */
export function misspeltRoot(label: string, where: Place): Diagnostic | null {
  const root = label.slice(0, 10).split('.', 1)[0]?.toLowerCase() ?? '';
  if (root.length < 6 || root.length > 8) return null;
  const isSwapped = root.split('').sort().join('') === 'aefikrt';
  if (!isSwapped && distance(root, 'traefik') > 1) return null;
  return ignored(where, 'this label is read by nobody', 'did you mean `traefik`?');
}
