// Counts over everything, and everything at once.

import type { ApiFacts } from './facts.ts';
import type { Listed } from './list.ts';
import type { Views } from './views.ts';

interface Count {
  readonly total: number;
  readonly warnings: number;
  readonly errors: number;
}

const none: Count = { total: 0, warnings: 0, errors: 0 };

export function overview(views: Views, facts: ApiFacts): Record<string, unknown> {
  return {
    http: {
      routers: count(views.routers),
      services: count(views.services),
      middlewares: count(views.middlewares),
    },
    tcp: { routers: none, services: none, middlewares: none },
    udp: { routers: none, services: none },
    certificates: none,
    features: { tracing: '', metrics: '', accessLog: facts.accessLog },
    providers: facts.providers,
  };
}

/** Sections that are empty are left out; entries don't repeat what their key says. */
export function rawData(views: Views): Record<string, unknown> {
  return {
    ...section('routers', views.routers),
    ...section('middlewares', views.middlewares),
    ...section('services', views.services),
  };
}

function count(items: readonly Listed[]): Count {
  return {
    total: items.length,
    warnings: items.filter((item) => item.status === 'warning').length,
    errors: items.filter((item) => item.status === 'disabled').length,
  };
}

function section(name: string, items: readonly Listed[]): Record<string, unknown> {
  if (items.length === 0) return {};
  const entries = items.map((item) => {
    const { name: key, provider: _provider, type: _type, ...kept } = item;
    return [key, kept] as const;
  });
  return { [name]: Object.fromEntries(entries) };
}
