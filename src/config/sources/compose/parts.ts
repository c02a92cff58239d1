// What of a compose service is written in more than one way: ports, networks, command, mounts.

import type { Place } from '../../../model/diagnostic.ts';
import type { Tree } from '../../tree.ts';
import { entryOf, textOf } from './reading.ts';
import type { PlacedText, ServiceReading } from './reading.ts';
import { shellWords } from './shell-words.ts';

/** Ports one range may name: all there are. */
const maxPort = 65_535;

export function portsOf(reading: ServiceReading, expose: Tree | null, ports: Tree | null): number[] {
  const found = new Set<number>();
  for (const list of [expose, ports]) {
    for (const item of list?.kind === 'list' ? list.items : []) {
      const long = entryOf(item, 'target');
      const protocol = textOf(reading, entryOf(item, 'protocol')?.node ?? null)?.text;
      const written = textOf(reading, long?.node ?? item)?.text ?? '';
      const [container = '', kind = protocol ?? 'tcp'] = (written.split(':').at(-1) ?? '').split('/');
      const [first, last = first] = container.split('-').map(Number);
      if (kind !== 'tcp' || first === undefined || last === undefined) continue;
      if (!(first >= 1 && last >= first && last <= maxPort)) continue;
      for (let port = first; port <= last; port += 1) found.add(port);
    }
  }
  return [...found].sort((a, b) => a - b);
}

export function networksOf(node: Tree | null): string[] {
  if (node?.kind === 'map') return [...node.entries.keys()];
  if (node?.kind !== 'list') return ['default'];
  return node.items.flatMap((item) => (item.kind === 'scalar' ? [String(item.value)] : []));
}

export function commandOf(reading: ServiceReading, node: Tree | null): PlacedText[] {
  if (node?.kind === 'list') {
    return node.items.map((item) => textOf(reading, item)).filter((item) => item !== null);
  }
  const whole = textOf(reading, node);
  return whole === null ? [] : shellWords(whole.text).map((text) => ({ text, where: whole.where }));
}

export function mountsOf(reading: ServiceReading, node: Tree | null): { target: string; source: string }[] {
  return (node?.kind === 'list' ? node.items : []).flatMap((item) => {
    const short = textOf(reading, item)?.text;
    if (short !== undefined) {
      const [source = '', target = ''] = short.split(':');
      return /^[./~]/.test(source) && target !== '' ? [{ target, source }] : [];
    }
    const source = textOf(reading, entryOf(item, 'source')?.node ?? null)?.text ?? '';
    const target = textOf(reading, entryOf(item, 'target')?.node ?? null)?.text ?? '';
    return /^[./~]/.test(source) && target !== '' ? [{ target, source }] : [];
  });
}

/** `configs` of a service, which are mounted as files; one without a file on this machine has an empty source. */
export function configsOf(
  reading: ServiceReading,
  node: Tree | null,
): { target: string; source: string; where: Place }[] {
  return (node?.kind === 'list' ? node.items : []).map((item) => {
    const name = textOf(reading, item.kind === 'scalar' ? item : (entryOf(item, 'source')?.node ?? null));
    const target = textOf(reading, entryOf(item, 'target')?.node ?? null)?.text ?? '';
    const source = reading.configs.get(name?.text ?? '') ?? '';
    return { target: target === '' ? `/${name?.text ?? ''}` : target, source, where: item.where };
  });
}
