// The priority of a router whose configuration names none.

/** Length of the rule text in UTF-8 bytes, blanks and quotes included: longer rules are tried first. */
export function defaultPriority(rule: string): bigint {
  return BigInt(Buffer.byteLength(rule, 'utf8'));
}
