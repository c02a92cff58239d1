// Versions as semver.org has them: which is greater, and where they are written.

/** `1.2.3` or `1.2.3-rc.1`, no leading zeros. */
const form =
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

export function isVersion(text: string): boolean {
  return form.test(text) && !/[-.]0\d+(?![0-9A-Za-z-])/.test(text);
}

/** Both must be versions. What comes before a release (`-rc.1`) is smaller than it. */
export function isGreater(version: string, than: string): boolean {
  const [a, b] = [partsOf(version), partsOf(than)];
  for (let i = 0; i < 3; i += 1)
    if (a.numbers[i] !== b.numbers[i]) return Number(a.numbers[i]) > Number(b.numbers[i]);
  if (a.before === null || b.before === null) return a.before === null && b.before !== null;
  return isLater(a.before, b.before);
}

/**
 * A package.json or lock file with the root's version replaced and everything else as it is. Throws `Error` when
 * the old one is not where it should be.
 */
export function replaceVersion(text: string, old: string, version: string, times: number): string {
  let left = times;
  // The root's own comes first in both files, in the lock's `packages` once more.
  const replaced = text.replaceAll(/"version": "([^"]*)"/g, (all, found: string) => {
    if (left === 0) return all;
    if (found !== old) throw new Error(`found the version ${found} where ${old} was expected`);
    left -= 1;
    return `"version": "${version}"`;
  });
  if (left > 0) throw new Error(`the version ${old} was not found ${times} times`);
  return replaced;
}

function partsOf(version: string): {
  readonly numbers: readonly string[];
  readonly before: readonly string[] | null;
} {
  const [, major = '', minor = '', patch = '', before] = form.exec(version) ?? [];
  return { numbers: [major, minor, patch], before: before?.split('.') ?? null };
}

/** Numbers count as numbers and are smaller than words; the longer of two that are the same so far is greater. */
function isLater(a: readonly string[], b: readonly string[]): boolean {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const [left, right] = [a[i], b[i]];
    if (left === right) continue;
    if (left === undefined || right === undefined) return right === undefined;
    const isNumber = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (isNumber[0] && isNumber[1]) return Number(left) > Number(right);
    return isNumber[0] === isNumber[1] ? left > right : Boolean(isNumber[1]);
  }
  return false;
}
