// The changelog's words for a release: `## Unreleased` becomes the version with its day, and begins again empty.

/** Lines that say what changed since the last release; empty when there are none, or no such heading. */
export function unreleased(changelog: string): readonly string[] {
  const lines = changelog.split('\n');
  const start = lines.indexOf('## Unreleased');
  if (start < 0) return [];
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith('## '));
  return (end < 0 ? rest : rest.slice(0, end)).filter((line) => line.trim() !== '');
}

export function hasSection(changelog: string, version: string): boolean {
  return changelog.split('\n').some((line) => /^## v?([^\s,]+)/.exec(line)?.[1] === version);
}

/** `day` as `2026-11-22`. */
export function closeSection(changelog: string, version: string, day: string): string {
  return changelog.replace(/^## Unreleased$/m, `## Unreleased\n\n## ${version}, ${day}`);
}
