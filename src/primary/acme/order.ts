// One order, from the account to a certificate that is what was asked for.

import type { ResolverSettings } from '../../model/acme.ts';
import type { CertificateSpec } from '../../model/tls.ts';
import { readCertificate } from '../../tls/certificate.ts';
import { type AccountOptions, accountFor } from './account.ts';
import { makeCertificateKey, makeRequest } from './keys.ts';
import { covers } from './names.ts';
import { AcmeProblem, describeProblem } from './problem.ts';
import { type AcmeClient, openSession } from './session.ts';
import type { StoredAccount, StoredCertificate } from './storage.ts';
import { orAborted, pause } from './times.ts';
import { type Validation, validateAll } from './validate.ts';

export interface OrderOptions extends AccountOptions, Omit<Validation, 'client'> {
  readonly names: readonly string[];
}

export interface Obtained {
  readonly stored: StoredCertificate;
  readonly spec: CertificateSpec;
}

/** Rejects with `AcmeProblem`, with the reason of `signal`, or as the storage does. */
export async function runOrder(options: OrderOptions): Promise<Obtained> {
  const account = await accountFor(options);
  try {
    return await orderWith(account, options);
  } catch (error) {
    // The authority has forgotten the account: pebble at every start, others after years.
    if (!(error instanceof AcmeProblem) || error.kind !== 'accountDoesNotExist') throw error;
    return orderWith(await accountFor(options, account.uri), options);
  }
}

type Order = Awaited<ReturnType<AcmeClient['createOrder']>>;

async function orderWith(account: StoredAccount, options: OrderOptions): Promise<Obtained> {
  const { settings, calls, names, signal } = options;
  const client = await openSession({
    settings,
    calls,
    accountKey: account.key,
    accountUrl: account.uri,
    signal,
  });
  const identifiers = names.map((value) => ({ type: 'dns', value }));
  const profile = settings.profile === null ? {} : { profile: settings.profile };
  const order = await client.createOrder({ identifiers, ...profile });
  if (!Array.isArray(order.authorizations))
    throw new AcmeProblem('the CA answered with something that is no order');
  // All of them are asked for at once, and shown to a hook or the world: those of our names, and no others.
  if (order.authorizations.length > names.length)
    throw new AcmeProblem('the CA wants more authorizations than there are names');
  const asked = new Set(names.map((name) => name.replace(/^\*\./, '')));
  const authorizations = await client.getAuthorizations(order);
  const isSound = authorizations.every(
    (one) => Array.isArray(one.challenges) && asked.has(String(one.identifier?.value).toLowerCase()),
  );
  if (!isSound) throw new AcmeProblem('the CA answered with something that is no authorization');
  await validateAll(authorizations, { ...options, client });
  const key = await orAborted(makeCertificateKey(settings.keyType), signal);
  const cert = await download(await finalize(order, { client, key, options }), client, settings);
  return {
    stored: { main: names[0] ?? '', sans: names.slice(1), cert, key },
    spec: checked(cert, key, names),
  };
}

interface Finalizing {
  readonly client: AcmeClient;
  readonly key: string;
  readonly options: OrderOptions;
}

async function finalize(order: Order, { client, key, options }: Finalizing): Promise<Order> {
  const { settings, names, times } = options;
  const ready = await untilStatus(order, ['ready', 'valid'], { client, options, limit: times.order });
  if (ready.status === 'valid') return ready;
  const request = await makeRequest(names, key, settings);
  const finalized = await client.finalizeOrder(ready, request);
  return untilStatus(finalized, ['valid'], { client, options, limit: settings.certificateTimeout });
}

interface Until {
  readonly client: AcmeClient;
  readonly options: OrderOptions;
  /** Milliseconds. */
  readonly limit: number;
}

async function untilStatus(
  order: Order,
  wanted: readonly string[],
  { client, options, limit }: Until,
): Promise<Order> {
  const { times, signal } = options;
  const end = performance.now() + limit;
  for (let wait = times.poll, now = order; ; wait = Math.min(wait * 2, times.poll * 20)) {
    now = await client.getOrder(now);
    if (wanted.includes(now.status)) return now;
    if (!['pending', 'processing', 'ready'].includes(now.status)) {
      const { kind, text } = describeProblem((now as { error?: unknown }).error);
      throw new AcmeProblem(`the CA gave the order up: ${text}`, kind);
    }
    if (performance.now() + wait > end) {
      throw new AcmeProblem(`the order was still ${now.status} after ${limit / 1000} s`);
    }
    await pause(wait, signal);
  }
}

async function download(
  order: Order,
  client: AcmeClient,
  { preferredChain }: ResolverSettings,
): Promise<string> {
  const text: unknown = await client.getCertificate(
    order,
    ...(preferredChain === null ? [] : [preferredChain]),
  );
  if (typeof text !== 'string' || !text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new AcmeProblem('the CA sent something that is no certificate');
  }
  return text;
}

function checked(cert: string, key: string, names: readonly string[]): CertificateSpec {
  const read = readCertificate(cert, key);
  if (!read.ok) throw new AcmeProblem(`the CA sent a certificate that is of no use: ${read.problem}`);
  const certified = new Set(read.certificate.names);
  const missing = names.filter((name) => !covers(certified, name));
  if (missing.length > 0) {
    throw new AcmeProblem(`the CA sent a certificate without ${missing.slice(0, 5).join(', ')}`);
  }
  return read.certificate;
}
