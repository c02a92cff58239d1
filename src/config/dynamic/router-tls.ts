// `tls` of a router → its spec.

import type { RouterTls } from '../../model/entry-point.ts';
import { qualify } from './merge.ts';
import type { RouterConfig } from './schema.ts';

export function routerTls({ tls }: RouterConfig, provider: string): RouterTls | null {
  if (tls === undefined) return null;
  const domains = (tls.domains ?? []).map(({ main, sans }) => ({ main: main ?? '', sans: sans ?? [] }));
  return {
    options: qualifiedOptions(tls.options ?? '', provider),
    certResolver: tls.certResolver ?? null,
    ...(domains.length === 0 ? {} : { domains }),
  };
}

/** Null: the default ones, of which there is one set for all providers. */
export function qualifiedOptions(written: string, provider: string): string | null {
  return written === '' || written === 'default' ? null : qualify(written, provider);
}
