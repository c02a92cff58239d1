// What a rule cannot match outside of: the hosts and path prefixes by which the router table is indexed.
// Every answer may be too wide, never too narrow.

export interface Limits {
  /** Null when any host may match; else exact lower-case hosts … */
  readonly hosts: readonly string[] | null;
  /** … and the `example.com` of each `*.example.com`. Empty when `hosts` is null. */
  readonly wildcards: readonly string[];
  /** Raw prefixes of the routing path, or null when any path may match. */
  readonly prefixes: readonly string[] | null;
}

export const noLimits: Limits = { hosts: null, wildcards: [], prefixes: null };

/** Of `a && b && …`. */
export function limitsOfAll(parts: readonly Limits[]): Limits {
  return parts.reduce((left, right) => {
    const hosts = narrower(left, right, hostCount);
    const paths = narrower(left, right, (limits) => limits.prefixes?.length ?? Number.POSITIVE_INFINITY);
    return { hosts: hosts.hosts, wildcards: hosts.wildcards, prefixes: paths.prefixes };
  });
}

/** Of `a || b || …`. */
export function limitsOfAny(parts: readonly Limits[]): Limits {
  const anyHost = parts.some((part) => part.hosts === null);
  const anyPath = parts.some((part) => part.prefixes === null);
  return {
    hosts: anyHost ? null : unique(parts.flatMap((part) => part.hosts ?? [])),
    wildcards: anyHost ? [] : unique(parts.flatMap((part) => part.wildcards)),
    prefixes: anyPath ? null : unique(parts.flatMap((part) => part.prefixes ?? [])),
  };
}

export function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

function narrower(left: Limits, right: Limits, size: (limits: Limits) => number): Limits {
  return size(right) < size(left) ? right : left;
}

function hostCount(limits: Limits): number {
  return limits.hosts === null ? Number.POSITIVE_INFINITY : limits.hosts.length + limits.wildcards.length;
}
