// Routers → specs: entry points, priority, middlewares, service; one copy per entry point that adds its own.

import { checkRule } from '../../rules/check.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { RouterSpec, RuleSyntax, ServiceSpec } from '../../model/snapshot.ts';
import { maxUserPriority } from '../../model/snapshot.ts';
import { authBeforeCors } from './lint.ts';
import type { Entry, Merged } from './merge.ts';
import { qualify } from './merge.ts';
import type { Findings } from './router-findings.ts';
import { newFindings } from './router-findings.ts';
import { inShort } from './resolve-middlewares.ts';
import type { Middlewares } from './resolve-middlewares.ts';
import type { RouterConfig } from './schema.ts';
import { qualifiedOptions, routerTls } from './router-tls.ts';
import type { Suggest } from './suggest.ts';

export interface RouterContext {
  readonly merged: Merged;
  readonly entryPoints: readonly EntryPointSpec[];
  readonly defaults: { readonly ruleSyntax: RuleSyntax };
  readonly middlewares: Middlewares;
  readonly services: ReadonlyMap<string, ServiceSpec>;
  readonly diagnostics: Diagnostic[];
  readonly suggest: Suggest;
  /** To be filled: names of the specs that stand where they do because nothing was written. */
  readonly implicit: Set<string>;
}

export function resolveRouters(context: RouterContext): RouterSpec[] {
  return [...context.merged.routers.values()].flatMap((entry) => routerSpecs(entry, context));
}

function routerSpecs(entry: Entry<RouterConfig>, context: RouterContext): RouterSpec[] {
  const { name, provider, written } = entry;
  const router = written.value;
  const findings = newFindings(entry, context.diagnostics);
  const ruleSyntax = router.ruleSyntax ?? context.defaults.ruleSyntax;
  findInRule(router.rule, ruleSyntax, findings);
  const entryPoints = placesOf(router, context.entryPoints, findings);
  const service = serviceOf(entry, context, findings);
  const spec: RouterSpec = {
    name,
    provider,
    entryPoints: entryPoints.map((entryPoint) => entryPoint.name),
    rule: router.rule,
    ruleSyntax,
    priority: priorityOf(entry, findings),
    middlewares: router.middlewares.map((reference) => qualify(reference, provider)),
    service,
    tls: routerTls(router, provider),
    accessLogs: router.observability?.accessLogs ?? true,
    ...(router.observability?.metrics === false ? { metrics: false } : {}),
    ...tracingOf(router.observability, {}),
    errors: findings.errors,
    warnings: findings.warnings,
  };
  const copies = perEntryPoint(spec, entryPoints, router.observability);
  if ((router.entryPoints ?? []).length === 0) for (const copy of copies) context.implicit.add(copy.name);
  return copies.map((copy) => withMiddlewares(copy, entry, context));
}

function findInRule(rule: string, syntax: RuleSyntax, findings: Findings): void {
  if (rule === '') {
    // A router that could not be read has said so already.
    if (findings.errors.length === 0)
      findings.error('rule', { code: 'config.rule', message: 'there is no rule' });
    return;
  }
  const checked = checkRule(rule, syntax);
  if (!checked.ok) {
    const { message, offset, hint } = checked.error;
    const text = `the rule cannot be read at character ${offset + 1}: ${message}`;
    findings.error('rule', { code: 'config.rule', message: text, hint });
    return;
  }
  for (const warning of checked.warnings) findings.warning('rule', { code: 'config.rule', message: warning });
}

function placesOf(
  router: RouterConfig,
  all: readonly EntryPointSpec[],
  findings: Findings,
): EntryPointSpec[] {
  const written = router.entryPoints ?? [];
  if (written.length === 0) {
    const marked = all.filter(({ asDefault }) => asDefault);
    return marked.length > 0 ? marked : all.filter(({ name }) => name !== 'traefik');
  }
  const places: EntryPointSpec[] = [];
  for (const name of new Set(written)) {
    const found = all.find((entryPoint) => entryPoint.name === name);
    if (found === undefined) {
      const message = `entryPoint "${name.slice(0, 80)}" doesn't exist`;
      const hint = `there are: ${all.map((entryPoint) => entryPoint.name).join(', ')}`;
      findings.warning('entrypoints', { code: 'config.unknown_entry_point', message, hint });
    } else places.push(found);
  }
  if (places.length === 0)
    findings.error('entrypoints', {
      code: 'config.no_entry_point',
      message: 'no valid entryPoint for this router',
    });
  return places;
}

/** Services of the gateway's own that are only there once they are asked for. */
const switchOn: ReadonlyMap<string, string> = new Map([
  ['api@internal', 'switch it on in the static configuration: `api: {}` or `--api=true`'],
  ['dashboard@internal', 'switch it on in the static configuration: `api: {dashboard: true}`'],
  ['ping@internal', 'switch it on in the static configuration: `ping: {}` or `--ping=true`'],
  ['prometheus@internal', 'switch it on in the static configuration: `metrics: {prometheus: {}}`'],
  ['rest@internal', 'the rest provider is not supported'],
  ['acme-http@internal', 'configure a certificates resolver with `httpChallenge`'],
]);

function serviceOf(
  { provider, written }: Entry<RouterConfig>,
  { services, suggest }: RouterContext,
  findings: Findings,
): string {
  const reference = written.value.service;
  if (reference === undefined || reference === '') {
    if (findings.errors.length === 0)
      findings.error('service', { code: 'config.no_service', message: 'router has no service' });
    return '';
  }
  const name = qualify(reference, provider);
  const service = services.get(name);
  if (service === undefined) {
    const message = `service ${name} doesn't exist`;
    const hint = switchOn.get(name);
    const help = hint === undefined ? suggest(name, services) : { hint };
    findings.error('service', { code: 'config.unknown_service', message, ...help });
  } else if (service.errors.length > 0) {
    findings.error('service', {
      code: 'config.broken_service',
      message: `service ${name} is broken: ${inShort(service.errors)}`,
    });
  }
  return name;
}

function priorityOf({ provider, written }: Entry<RouterConfig>, findings: Findings): bigint {
  const { priority, rule } = written.value;
  if (priority === 0n) return BigInt(Buffer.byteLength(rule));
  if (provider === 'internal' || priority <= maxUserPriority) return priority;
  const message = `priority ${priority} is above the highest allowed, ${maxUserPriority}`;
  findings.error('priority', { code: 'config.priority', message });
  return maxUserPriority;
}

/** An entry point with middlewares, TLS or its own settings of log and metrics gives its routers a model of their own. */
function perEntryPoint(
  spec: RouterSpec,
  places: readonly EntryPointSpec[],
  own: RouterConfig['observability'],
): RouterSpec[] {
  const copies: RouterSpec[] = [];
  const plain: string[] = [];
  for (const place of places) {
    const { middlewares, tls } = place.http;
    // Authorities ask in cleartext, and nothing may stand between them and the answer.
    const isPlain = spec.service === 'acme-http@internal' && spec.provider === 'internal';
    const isObserved = place.accessLogs && place.metrics !== false && isPlainlyTraced(place);
    if (isPlain || (middlewares.length === 0 && tls === null && isObserved)) {
      plain.push(place.name);
      continue;
    }
    copies.push({
      ...spec,
      name: places.length > 1 ? `${place.name}-${spec.name}` : spec.name,
      entryPoints: [place.name],
      middlewares: [...middlewares.map((name) => qualify(name, 'internal')), ...spec.middlewares],
      tls:
        spec.tls ??
        (tls === null ? null : { ...tls, options: qualifiedOptions(tls.options ?? '', spec.provider) }),
      accessLogs: own?.accessLogs ?? place.accessLogs,
      ...((own?.metrics ?? place.metrics) === false ? { metrics: false } : {}),
      ...tracingOf(own, place),
    });
  }
  if (plain.length > 0 || places.length === 0) copies.push({ ...spec, entryPoints: plain });
  return copies;
}

type Tracing = Pick<RouterSpec, 'tracing' | 'traceVerbosity'>;

/** A router's own word, else its entry point's. */
function tracingOf(own: RouterConfig['observability'], place: Tracing): Tracing {
  const isTraced = own?.tracing ?? place.tracing !== false;
  const verbosity = own?.traceVerbosity ?? place.traceVerbosity ?? 'minimal';
  return {
    ...(isTraced ? {} : { tracing: false }),
    ...(verbosity === 'detailed' ? { traceVerbosity: verbosity } : {}),
  };
}

function isPlainlyTraced(place: Tracing): boolean {
  return place.tracing !== false && place.traceVerbosity === undefined;
}

function withMiddlewares(spec: RouterSpec, entry: Entry<RouterConfig>, context: RouterContext): RouterSpec {
  const { middlewares, diagnostics } = context;
  const flat = middlewares.flatten(spec.middlewares);
  const findings = newFindings(entry, diagnostics);
  for (const error of flat.errors) findings.error('middlewares', { code: 'config.middleware', ...error });
  const order = authBeforeCors(flat.names, middlewares.specs);
  if (order !== null) findings.warning('middlewares', { code: 'config.auth_before_cors', ...order });
  return {
    ...spec,
    middlewares: flat.names,
    errors: [...spec.errors, ...findings.errors.slice(entry.written.errors.length)],
    warnings: [...spec.warnings, ...findings.warnings],
  };
}
