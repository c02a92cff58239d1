// A program of its own, for the test runner keeps garbage of its own. Prints how many bytes each request that the
// pipeline serves leaves to the full collection while V8 has not optimised anything, as in a worker's first second.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { serve } from '../../src/proxy/pipeline.ts';
import type { Runtime } from '../../src/proxy/runtime/runtime.ts';
import { exchange } from './forward-auth.ts';

for (const flag of ['--expose-gc', '--no-opt', '--no-maglev']) setFlagsFromString(flag);
type Collect = (options: { readonly type: 'minor' | 'major' }) => void;
const collect = runInNewContext('gc') as Collect;

const between = 500;
const rounds = 40;
const runtime = { routeOf: () => null } as unknown as Runtime;

serveAll();
collect({ type: 'major' });
serveAll();
const { heapUsed } = process.memoryUsage();
collect({ type: 'major' });
const left = Math.round((heapUsed - process.memoryUsage().heapUsed) / (rounds * between));
process.stdout.write(JSON.stringify({ left }));

function serveAll(): void {
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < between; i++) serve(exchange({}), runtime);
    collect({ type: 'minor' });
  }
  collect({ type: 'minor' });
}
