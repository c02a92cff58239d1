// Diagnostics about flags, variables and labels, brought to the lines of the compose file they come from.

import { gatewayArguments } from '../config/sources/compose.ts';
import type { ComposeFile, ComposeService } from '../config/sources/compose.ts';
import type { Diagnostic, Place } from '../model/diagnostic.ts';

/** `gateway` is the service whose flags and variables were read. */
export function composePlaces(
  compose: ComposeFile,
  gateway: ComposeService | undefined,
): (diagnostic: Diagnostic) => Diagnostic {
  const flags = gateway === undefined ? new Map<string, Place>() : flagPlaces(gateway);
  const services = new Map(compose.services.map((service) => [service.containerName, service]));
  const place = (where: Place): Place => {
    if (where.line !== undefined) return where;
    const found =
      where.source === 'flag'
        ? flags.get((where.path ?? '').toLowerCase())
        : where.source.startsWith('env ')
          ? gateway?.environment.get(where.source.slice('env '.length))?.where
          : labelPlace(services.get(where.source), where);
    const fallback = where.source === 'flag' ? gateway?.where : undefined;
    const base = found ?? fallback;
    return base === undefined
      ? where
      : { ...base, ...(where.path === undefined ? {} : { path: where.path }) };
  };
  return (diagnostic) => ({
    ...diagnostic,
    where: place(diagnostic.where),
    ...(diagnostic.related === undefined ? {} : { related: diagnostic.related.map(place) }),
  });
}

function labelPlace(service: ComposeService | undefined, where: Place): Place | undefined {
  if (service === undefined) return undefined;
  const wanted = (where.path ?? '').toLowerCase();
  const exact = service.labels.get(where.path ?? '');
  if (exact !== undefined) return exact.where;
  const below = wanted.startsWith('traefik.') ? wanted : `traefik.${wanted}`;
  for (const [name, { where: found }] of service.labels) {
    const label = name.toLowerCase();
    if (label === below || (wanted !== '' && label.startsWith(`${below}.`))) return found;
  }
  return service.where;
}

function flagPlaces(gateway: ComposeService): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const { text, where } of gatewayArguments(gateway)) {
    const name = /^--?([^=]+)/.exec(text)?.[1];
    if (name !== undefined) places.set(name.toLowerCase(), where);
  }
  return places;
}
