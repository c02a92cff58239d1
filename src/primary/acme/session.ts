// One account at one authority, for the length of one order: acme-client's steps over calls of our own.

import type { ResolverSettings } from '../../model/acme.ts';
import type { CaAnswer, CaCalls } from './ca-calls.ts';
import { AcmeProblem } from './problem.ts';

export type AcmeClient = import('acme-client').Client;

export interface SessionOptions {
  readonly settings: ResolverSettings;
  readonly calls: CaCalls;
  /** PEM. */
  readonly accountKey: string;
  /** Null: to be registered. */
  readonly accountUrl: string | null;
  readonly signal: AbortSignal;
}

/** The seam below all steps: one function that every one of them goes through. */
interface Seam {
  readonly http?: {
    request?: (url: string, method: string, options?: { readonly data?: unknown }) => Promise<CaAnswer>;
  };
}

/**
 * The client's own calls share one set of options over all authorities, hide the kind of an error and wait for
 * minutes where nothing can wake them: ours replace them.
 */
export async function openSession(options: SessionOptions): Promise<AcmeClient> {
  const { settings, calls, accountKey, accountUrl, signal } = options;
  const { Client } = await import('acme-client');
  const client = new Client({
    directoryUrl: settings.caServer,
    accountKey,
    ...(accountUrl === null ? {} : { accountUrl }),
    ...(settings.eab === null
      ? {}
      : { externalAccountBinding: { kid: settings.eab.kid, hmacKey: settings.eab.hmac } }),
  });
  const { http } = client as unknown as Seam;
  if (typeof http?.request !== 'function') throw new AcmeProblem('acme-client is of an unknown version');
  http.request = (url, method, { data } = {}) =>
    calls.call({ url, method, signal, ...(data === undefined ? {} : { body: data }) });
  return client;
}
