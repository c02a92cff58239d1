// The walk of one request in words: candidates, winner, middlewares, service, servers.

import type { RuleSubject } from '../../rules/subject.ts';
import { compileRule } from '../../rules/compile.ts';
import { explainRule } from '../../rules/explain.ts';
import type { Facts, Shown } from './facts.ts';
import { handshakeLines, otherSide } from './tell-tls.ts';

export interface Case {
  readonly facts: Facts;
  readonly entryPoint: Shown;
  readonly subject: RuleSubject;
  readonly isTls: boolean;
}

export interface Told {
  readonly text: string;
  /** Whether a router answers, and can do its work. */
  readonly isServed: boolean;
  /** Qualified name of the router that answers; null for none. */
  readonly router: string | null;
}

/** Characters of one middleware's options. */
const maxOptions = 200;

/** Goes down the routers as the router table would; ties break by name. */
export function tell(asked: Case): Told {
  const steps = telling(asked);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same in steps, for a process that has other things to do: yields after every router. */
export function* telling({ facts, entryPoint, subject, isTls }: Case): Generator<undefined, Told> {
  const here = facts.routers.filter((router) => texts(router['entryPoints']).includes(entryPoint.name));
  const tried = here.filter((router) => (router['tls'] !== undefined) === isTls).toSorted(byPriority);
  const lines = [
    `${subject.method} host ${subject.host} path ${subject.routePath} on entry point ${entryPoint.name}${listening(entryPoint)}`,
  ];
  const closed = otherSide(entryPoint, isTls);
  if (closed !== null)
    return {
      text: text([...lines, closed, ...(yield* elsewhere(facts, here, subject))]),
      isServed: false,
      router: null,
    };
  if (isTls) lines.push(...handshakeLines(facts, entryPoint, subject.host));
  let winner: Shown | null = null;
  for (const router of tried) {
    yield;
    const reason: string | null =
      winner === null ? whyNot(router, subject) : `not tried: ${winner.name} has matched`;
    if (reason === null) winner = router;
    lines.push(
      `${reason === null ? '>' : ' '} ${router.name} (priority ${priorityOf(router)}) ${word(router['rule'])}`,
    );
    if (reason !== null) lines.push(`      ${reason}`);
  }
  for (const router of here) {
    if ((router['tls'] !== undefined) !== isTls)
      lines.push(`  ${router.name}`, `      not tried: it serves ${isTls ? 'cleartext' : 'TLS'} only`);
  }
  if (winner === null) {
    return {
      text: text([...lines, '404: no router matches', ...(yield* elsewhere(facts, here, subject))]),
      isServed: false,
      router: null,
    };
  }
  const errors = winner['status'] === 'disabled' ? texts(winner['error']) : [];
  return {
    text: text([...lines, ...answer(winner, facts, errors)]),
    isServed: errors.length === 0,
    router: winner.name,
  };
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function listening(entryPoint: Shown): string {
  return typeof entryPoint['address'] === 'string' ? ` (${entryPoint['address']})` : '';
}

function byPriority(a: Shown, b: Shown): number {
  const left = priorityOf(a);
  const right = priorityOf(b);
  if (left !== right) return left > right ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

function priorityOf(router: Shown): bigint {
  const written = word(router['priorityStr']) || String(Math.trunc(Number(router['priority'] ?? 0)));
  return /^-?\d{1,20}$/.test(written) ? BigInt(written) : 0n;
}

/** Null: the router matches. */
function whyNot(router: Shown, subject: RuleSubject): string | null {
  const compiled = compileRule(word(router['rule']), router['ruleSyntax'] === 'v2' ? 'v2' : 'v3');
  if (!compiled.ok) return `its rule is wrong: ${compiled.error.message}`;
  const { matched, failed } = explainRule(compiled.rule, subject);
  return matched ? null : `does not match: ${failed ?? ''}`;
}

/** Routers of other entry points that would have matched: the usual reason for a 404 nobody expects. */
function* elsewhere(
  { routers }: Facts,
  here: readonly Shown[],
  subject: RuleSubject,
): Generator<undefined, string[]> {
  const seen = new Set(here);
  const found: string[] = [];
  for (const router of routers) {
    if (found.length >= 5) break;
    if (seen.has(router)) continue;
    yield;
    if (whyNot(router, subject) === null)
      found.push(
        `  ${router.name} would match, on entry point ${texts(router['entryPoints']).join(', ') || 'none'}`,
      );
  }
  return found;
}

function answer(winner: Shown, facts: Facts, errors: readonly string[]): string[] {
  const names = texts(winner['middlewares']);
  const short = names.map((name) => {
    const kind = kindOf(facts.middlewares.get(name));
    return kind === null ? name : `${name} (${kind.kind})`;
  });
  const own = word(winner['service']);
  const service = own === '' || own.includes('@') ? own : `${own}@${word(winner['provider'])}`;
  return [
    `router:      ${winner.name}`,
    `middlewares: ${short.length === 0 ? 'none' : short.join(' → ')}`,
    ...names.map((name, index) => `  ${index + 1}. ${describe(name, facts.middlewares.get(name))}`),
    `service:     ${service}`,
    ...serviceLines(facts.services.get(service), facts.isRunning),
    ...errors.map((error) => `503: ${error}`),
  ];
}

function describe(name: string, middleware: Shown | undefined): string {
  const found = kindOf(middleware);
  if (middleware === undefined || found === null) return `${name}: there is none of this name`;
  const [error] = texts(middleware['error']);
  if (error !== undefined) return `${name}: ${found.kind} is broken: ${error}`;
  const shown = optionsText(found.options);
  return `${name}: ${found.kind}${shown === '' ? '' : ` ${shown.length > maxOptions ? `${shown.slice(0, maxOptions - 1)}…` : shown}`}`;
}

const notOptions = new Set(['status', 'usedBy', 'name', 'provider', 'type', 'error']);

function kindOf(middleware: Shown | undefined): { readonly kind: string; readonly options: unknown } | null {
  const found = Object.entries(middleware ?? {}).find(([field]) => !notOptions.has(field));
  return found === undefined ? null : { kind: found[0], options: found[1] };
}

/** `key=value` of what says something; secrets are hidden in the views already. */
function optionsText(options: unknown): string {
  if (typeof options !== 'object' || options === null) return '';
  return Object.entries(options as Readonly<Record<string, unknown>>)
    .filter(([, value]) => !isIdle(value))
    .map(([key, value]) => `${key}=${valueText(value)}`)
    .join(' ');
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueText).join(',');
  if (typeof value === 'object' && value !== null) return `{${optionsText(value)}}`;
  return String(value);
}

function isIdle(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false || value === 0) return true;
  return typeof value === 'object' && Object.values(value).every(isIdle);
}

function serviceLines(service: Shown | undefined, isRunning: boolean): string[] {
  const balancer = service?.['loadBalancer'] as Readonly<Record<string, unknown>> | undefined;
  if (balancer === undefined) return service === undefined ? [] : otherKind(service);
  const states = (service?.['serverStatus'] ?? {}) as Readonly<Record<string, unknown>>;
  const servers = (Array.isArray(balancer['servers']) ? balancer['servers'] : []) as readonly Shown[];
  const urls = servers.map(({ url, weight }) => {
    const state = isRunning ? states[word(url)] : undefined;
    const notes = [weight === undefined ? '' : `weight ${word(weight)}`, word(state)].filter(
      (note) => note !== '',
    );
    return notes.length === 0 ? word(url) : `${word(url)} (${notes.join(', ')})`;
  });
  const check = balancer['healthCheck'] as Readonly<Record<string, unknown>> | undefined;
  return [
    `servers:     ${urls.length === 0 ? 'none: 503' : urls.join(', ')}`,
    ...(check === undefined ? [] : [`health:      ${optionsText(check)}`]),
  ];
}

/** Services that choose among services, and those of the gateway itself. */
function otherKind(service: Shown): string[] {
  return ['weighted', 'highestRandomWeight', 'mirroring', 'failover']
    .filter((kind) => service[kind] !== undefined)
    .map((kind) => `${`${kind}:`.padEnd(12)} ${optionsText(service[kind])}`);
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(word) : [];
}

function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
