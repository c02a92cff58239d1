// The account of a resolver: the stored one, else a new one, which one node alone registers.

import type { ResolverSettings } from '../../model/acme.ts';
import type { CaCalls } from './ca-calls.ts';
import { makeAccountKey } from './keys.ts';
import { openSession } from './session.ts';
import type { AcmeStorage, StoredAccount } from './storage.ts';
import { orAborted, pause } from './times.ts';

export interface AccountOptions {
  readonly settings: ResolverSettings;
  readonly storage: AcmeStorage;
  readonly calls: CaCalls;
  readonly signal: AbortSignal;
  /** URIs of the accounts registered by this process: they are this authority's, whatever host they name. */
  readonly registered: Set<string>;
  /** Milliseconds between two looks at what another node registers. */
  readonly wait: number;
}

/** `unknown`: the URI of one that the authority has said it does not know. */
export async function accountFor(
  options: AccountOptions,
  unknown: string | null = null,
): Promise<StoredAccount> {
  for (;;) {
    const stored = await orAborted(options.storage.load(), options.signal);
    if (isUsable(stored.account, options, unknown)) return stored.account;
    const made = await options.storage.withLease('account', async (lease) => {
      // Another node may have been faster.
      const { account } = await options.storage.load();
      if (isUsable(account, options, unknown)) return account;
      const fresh = await register(options);
      await options.storage.saveAccount(fresh, lease);
      return fresh;
    });
    if (made !== null) return made;
    await pause(options.wait, options.signal);
  }
}

function isUsable(
  account: StoredAccount | null,
  { settings: { caServer }, registered }: AccountOptions,
  unknown: string | null,
): account is StoredAccount {
  // An account of the staging authority is none of the real one's.
  if (account === null || account.uri === unknown) return false;
  return registered.has(account.uri) || URL.parse(account.uri)?.host === URL.parse(caServer)?.host;
}

async function register({ settings, calls, registered, signal }: AccountOptions): Promise<StoredAccount> {
  const key = await orAborted(makeAccountKey(), signal);
  const client = await openSession({ settings, calls, accountKey: key, accountUrl: null, signal });
  const contact = settings.email === '' ? {} : { contact: [`mailto:${settings.email}`] };
  const registration = await client.createAccount({ termsOfServiceAgreed: true, ...contact });
  const uri = client.getAccountUrl();
  registered.add(uri);
  return { email: settings.email, uri, registration, key };
}
