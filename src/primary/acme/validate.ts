// Shows the authority that a name is ours: by HTTP, by TLS, or by DNS.

import { createHash } from 'node:crypto';
import type { Authorization } from 'acme-client';
import type { Challenge, ResolverSettings } from '../../model/acme.ts';
import type { Board } from './board.ts';
import { type DnsRecord, type Hook, hookFrom } from './dns-hook.ts';
import { followAliases, waitForRecord } from './dns-record.ts';
import { AcmeProblem, describeProblem } from './problem.ts';
import type { AcmeClient } from './session.ts';
import type { AcmeStorage } from './storage.ts';
import { orAborted, pause, type Times } from './times.ts';

type CaChallenge = Authorization['challenges'][number];

export interface Validation {
  readonly settings: ResolverSettings;
  readonly client: AcmeClient;
  readonly board: Board;
  readonly storage: AcmeStorage;
  readonly times: Times;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Work with DNS records waits here: names of one zone share a record, and its servers a limit. */
  readonly dnsTurn: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  readonly signal: AbortSignal;
}

/** Settles when the authority has found every name to be ours; rejects with its reason when it has not. */
export async function validateAll(
  authorizations: readonly Authorization[],
  validation: Validation,
): Promise<void> {
  const open = authorizations.filter(({ status }) => status !== 'valid');
  const overDns = open.filter((one) => chooseChallenge(one, validation.settings).type === 'dns-01');
  const others = open.filter((one) => !overDns.includes(one));
  const results = await Promise.allSettled([
    ...others.map((one) => validateShown(one, validation)),
    validateOverDns(overDns, validation),
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** In this order: the one that needs the least of the machine's surroundings first. */
function chooseChallenge(authorization: Authorization, settings: ResolverSettings): CaChallenge {
  const { wildcard, identifier, challenges } = authorization;
  const configured = [
    ...(settings.tlsChallenge === null || wildcard === true ? [] : ['tls-alpn-01']),
    ...(settings.httpChallenge === null || wildcard === true ? [] : ['http-01']),
    ...(settings.dnsChallenge === null ? [] : ['dns-01']),
  ];
  for (const type of configured) {
    const challenge = challenges.find((one) => one.type === type);
    if (challenge !== undefined) return challenge;
  }
  const offered = challenges.map(({ type }) => String(type).slice(0, 20)).slice(0, 8);
  throw new AcmeProblem(
    `the CA offers ${offered.join(', ') || 'no challenge'} for ${identifier.value}, the resolver has ${configured.join(', ') || 'none'}`,
  );
}

async function validateShown(authorization: Authorization, validation: Validation): Promise<void> {
  const { settings, client, board, storage, times, signal } = validation;
  const asked = chooseChallenge(authorization, settings);
  const domain = authorization.identifier.value;
  const keyAuthorization = await client.getChallengeKeyAuthorization(asked);
  const challenge: Challenge =
    asked.type === 'http-01'
      ? { kind: 'http-01', domain, token: asked.token, keyAuthorization }
      : { kind: 'tls-alpn-01', domain, keyAuthorization };
  const delay = (asked.type === 'http-01' ? settings.httpChallenge : settings.tlsChallenge)?.delay ?? 0;
  try {
    await orAborted(board.show(challenge, storage), signal);
    await pause(Math.max(times.settle, delay), signal);
    await client.completeChallenge(asked);
    await untilValid(authorization, asked.type, validation);
  } finally {
    await board.hide(challenge, storage);
  }
}

async function validateOverDns(
  authorizations: readonly Authorization[],
  validation: Validation,
): Promise<void> {
  if (authorizations.length === 0) return;
  const { env, times, dnsTurn, signal } = validation;
  const hook = hookFrom(env, times.hook);
  for (const [index, authorization] of authorizations.entries()) {
    if (index > 0) await pause(hook.sequenceInterval, signal);
    await dnsTurn(() => validateRecord(authorization, hook, validation), signal);
  }
}

async function validateRecord(
  authorization: Authorization,
  hook: Hook,
  validation: Validation,
): Promise<void> {
  const { settings, client, times, signal, env } = validation;
  const asked = chooseChallenge(authorization, settings);
  const dns = settings.dnsChallenge ?? { resolvers: [], disableChecks: true, delayBeforeChecks: 0 };
  const domain = authorization.identifier.value;
  const { token } = asked;
  const keyAuthorization = await client.getChallengeKeyAuthorization({
    ...asked,
    type: 'http-01',
  } as CaChallenge);
  const value = createHash('sha256').update(keyAuthorization).digest('base64url');
  const name = `_acme-challenge.${domain}.`;
  const followsAliases = env['LEGO_DISABLE_CNAME_SUPPORT'] !== 'true' && !dns.disableChecks;
  const fqdn = followsAliases ? await followAliases(name, dns.resolvers, signal) : name;
  const record: DnsRecord = { domain, fqdn, value, token, keyAuthorization };
  try {
    await hook.run('present', record, signal);
    await pause(Math.max(times.settle, dns.delayBeforeChecks), signal);
    if (!dns.disableChecks) {
      const { propagationTimeout: timeout, pollingInterval: interval } = hook;
      await waitForRecord({ fqdn, value, resolvers: dns.resolvers, timeout, interval }, signal);
    }
    await client.completeChallenge(asked);
    await untilValid(authorization, asked.type, validation);
  } finally {
    // Also when the gateway ends: a record that is left lying is wrong for the next order.
    const limit = AbortSignal.timeout(signal.aborted ? times.close : times.hook);
    await hook.run('cleanup', record, limit).catch(() => undefined);
  }
}

/** Milliseconds that an authority may take to look. */
const validationTime = 180_000;

async function untilValid(
  authorization: Authorization,
  type: string,
  { client, times, signal }: Validation,
): Promise<void> {
  const name = authorization.identifier.value;
  const end = performance.now() + validationTime;
  for (let wait = times.poll; performance.now() < end; wait = Math.min(wait * 2, times.poll * 20)) {
    await pause(wait, signal);
    const [now] = await client.getAuthorizations({ authorizations: [authorization.url] } as Parameters<
      AcmeClient['getAuthorizations']
    >[0]);
    if (now?.status === 'valid') return;
    if (now?.status === 'pending') continue;
    const failed = now?.challenges?.find((one) => one.status === 'invalid') as
      | { error?: unknown }
      | undefined;
    const { kind, text } = describeProblem(failed?.error);
    throw new AcmeProblem(`the CA could not validate ${name} by ${type}: ${text}`, kind);
  }
  throw new AcmeProblem(`the CA did not validate ${name} by ${type} within ${validationTime / 1000} s`);
}
