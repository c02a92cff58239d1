// Users as htdigest writes them: `name:realm:hash`, the hash being MD5 of `name:realm:password`.

import { toBytes } from '../header-text.ts';
import type { UserFormat } from '../user-auth.ts';

/** Hash by `name:realm`. */
export const htdigest: UserFormat = {
  problemOf: digestProblem,
  read(line) {
    const [, name = '', realm = '', digest = ''] = linePattern.exec(line) ?? [];
    return [`${toBytes(name)}:${toBytes(realm)}`, digest.toLowerCase()];
  },
};

// A control character in a name would end up in a header.
// oxlint-disable-next-line no-control-regex
const linePattern = /^([^:\x00-\x1f\x7f]+):([^:\x00-\x1f\x7f]*):([0-9A-Fa-f]{32})$/;

function digestProblem(line: string): string | null {
  if (line.length <= 1_024 && linePattern.test(line)) return null;
  const colon = line.indexOf(':');
  const user = colon < 1 ? '' : ` for the user ${JSON.stringify(line.slice(0, Math.min(colon, 80)))}`;
  return `expected name:realm:hash with 32 hexadecimal digits${user}, as htdigest writes it`;
}
