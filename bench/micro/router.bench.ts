// Nanoseconds per lookup in the router table, by number of routers: `node bench/micro/router.bench.ts`.

import { buildTable, type Routable } from '../../src/proxy/router/table.ts';
import { compileRule, type RuleSubject } from '../../src/rules/compile.ts';
import { defaultPriority } from '../../src/rules/priority.ts';
import { bench } from './run.ts';

interface Shape {
  readonly title: string;
  rule(i: number): string;
  request(i: number): Partial<RuleSubject>;
}

const sizes = [10, 1_000, 10_000];

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

for (const shape of shapes) for (const size of sizes) measure(shape, size);

function measure(shape: Shape, size: number): void {
  const table = buildTable(Array.from({ length: size }, (_, i) => makeRouter(`r${i}`, shape.rule(i))));
  // As many requests at every size, so that caches of the processor are no part of the difference.
  const requests = Array.from({ length: 64 }, (_, i) => subject(shape.request((i * 7_919) % size)));
  bench(`${shape.title}, ${size}`, (i) => table.lookup(requests[i & 63] as RuleSubject) ?? null);
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
