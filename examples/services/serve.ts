// The small services that the examples stand before: `node serve.ts <kind> <port> [name]`, kinds below.

import { startService } from './http.ts';
import { api, flaky, page, shadow } from './plain.ts';
import { auth } from './auth.ts';
import { mcp } from './mcp.ts';
import type { Kind } from './http.ts';

const kinds: Readonly<Record<string, Kind>> = { api, auth, flaky, mcp, page, shadow };

const [, , kind = '', port = '', name = kind] = process.argv;
const make = kinds[kind];
if (make === undefined || !/^\d+$/.test(port)) {
  console.error(`usage: node serve.ts <${Object.keys(kinds).join('|')}> <port> [name]`);
  process.exit(2);
}
// Process 1 of a container ends by no signal that it does not handle.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
await startService(Number(port), make(name), name);
console.log(`${name} listens on ${port}`);
