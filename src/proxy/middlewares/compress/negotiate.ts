// Accept-Encoding (RFC 9110 §12.5.3) against the encodings on offer.

import type { Encoding } from './codecs.ts';

/** More members than any browser sends; the rest is not read. */
const maxMembers = 32;

/**
 * The encoding the client likes best; among equals the first on offer. Null for none: it accepts none of
 * them, or says nothing and there is no default.
 */
export function choose(
  accepted: string | null,
  offered: readonly Encoding[],
  byDefault: Encoding | null,
): Encoding | null {
  if (accepted === null) return byDefault;
  const weights = readWeights(accepted);
  const others = weights.get('*') ?? 0;
  let best: Encoding | null = null;
  let bestWeight = 0;
  for (const encoding of offered) {
    const weight = weights.get(encoding) ?? others;
    if (weight <= bestWeight) continue;
    best = encoding;
    bestWeight = weight;
  }
  // Who would rather have it as it is gets it so.
  return (weights.get('identity') ?? 0) > bestWeight ? null : best;
}

function readWeights(accepted: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const member of accepted.toLowerCase().split(',', maxMembers)) {
    const [name = '', ...parameters] = member.split(';');
    const quality = parameters.map((text) => text.trim()).find((text) => text.startsWith('q='));
    const weight = quality === undefined ? 1 : Number(quality.slice(2));
    weights.set(name.trim(), weight >= 0 && weight <= 1 ? weight : 0);
  }
  return weights;
}
