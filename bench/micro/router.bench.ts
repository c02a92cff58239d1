// Nanoseconds per lookup in the router table, by number of routers: `node bench/micro/router.bench.ts`.

import { buildTable, type Routable } from '../../src/proxy/router/table.ts';
import { compileRule, type RuleSubject } from '../../src/rules/compile.ts';
import { defaultPriority } from '../../src/rules/priority.ts';

interface Shape {
  readonly title: string;
  rule(i: number): string;
  request(i: number): Partial<RuleSubject>;
}

const sizes = [10, 1_000, 10_000];
const lookups = 1_000_000;

const shapes: readonly Shape[] = [
  {
    title: 'one host each',
    rule: (i) => `Host(\`app${i}.example.com\`)`,
    request: (i) => ({ host: `app${i}.example.com` }),
  },
  {
    title: 'host and path',
    rule: (i) => `Host(\`app${i}.example.com\`) && PathPrefix(\`/api\`)`,
    request: (i) => ({ host: `app${i}.example.com`, routePath: '/api/users/17' }),
  },
  {
    title: 'wildcard hosts',
    rule: (i) => `Host(\`*.team${i}.example.com\`)`,
    request: (i) => ({ host: `app.team${i}.example.com` }),
  },
  {
    title: 'paths of any host',
    rule: (i) => `PathPrefix(\`/team${i}/\`)`,
    request: (i) => ({ routePath: `/team${i}/users/17` }),
  },
  {
    title: 'no router (miss)',
    rule: (i) => `Host(\`app${i}.example.com\`)`,
    request: (i) => ({ host: `other${i}.example.com` }),
  },
];

console.log(`${'ns per lookup'.padEnd(22)}${sizes.map((size) => String(size).padStart(10)).join('')}`);
for (const shape of shapes) {
  const cells = sizes.map((size) => measure(shape, size).toFixed(0).padStart(10));
  console.log(`${shape.title.padEnd(22)}${cells.join('')}`);
}

function measure(shape: Shape, size: number): number {
  const table = buildTable(Array.from({ length: size }, (_, i) => makeRouter(`r${i}`, shape.rule(i))));
  // As many requests at every size, so that caches of the processor are no part of the difference.
  const requests = Array.from({ length: 64 }, (_, i) => subject(shape.request((i * 7_919) % size)));
  const round = (count: number): void => {
    for (let i = 0; i < count; i += 1) table.lookup(requests[i & 63] as RuleSubject);
  };
  round(lookups / 10);
  const started = performance.now();
  round(lookups);
  return ((performance.now() - started) * 1e6) / lookups;
}

function makeRouter(name: string, text: string): Routable {
  const result = compileRule(text, 'v3');
  if (!result.ok) throw new Error(result.error.message);
  return { name, priority: defaultPriority(text), rule: result.rule };
}

function subject(differences: Partial<RuleSubject>): RuleSubject {
  return {
    host: '',
    routePath: '/',
    method: 'GET',
    headers: [],
    search: '',
    peer: '127.0.0.1',
    ...differences,
  };
}
