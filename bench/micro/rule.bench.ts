// Nanoseconds to match one rule: `node bench/micro/rule.bench.ts`.

import { compileRule, type RuleSubject } from '../../src/rules/compile.ts';
import { bench } from './run.ts';

const subject: RuleSubject = {
  host: 'shop.example.com',
  routePath: '/api/users/17',
  method: 'GET',
  headers: ['accept', '*/*', 'user-agent', 'Mozilla/5.0', 'x-tenant', 'blue', 'cookie', 'a=1; b=2'],
  search: '?page=2&sort=name',
  peer: '10.1.2.3',
};

const rules = [
  'Host(`shop.example.com`)',
  'PathPrefix(`/api`)',
  'Host(`shop.example.com`) && PathPrefix(`/api`)',
  'Host(`*.example.com`) && !PathPrefix(`/admin`)',
  'PathRegexp(`^/api/users/[0-9]+$`)',
  'HostRegexp(`^[a-z]+\\.example\\.com$`)',
  'Header(`X-Tenant`, `blue`)',
  'Query(`page`, `2`)',
  'ClientIP(`10.0.0.0/8`)',
  '(Host(`a.example.com`) || Host(`shop.example.com`)) && Method(`GET`) && Header(`X-Tenant`, `blue`)',
];

for (const text of rules) {
  const result = compileRule(text, 'v3');
  if (!result.ok) throw new Error(result.error.message);
  const { match } = result.rule;
  if (!match(subject)) throw new Error(`${text} does not match`);
  bench(text, () => match(subject));
}
