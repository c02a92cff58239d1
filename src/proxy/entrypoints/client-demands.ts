// What each host of an entry point asks of its clients' certificates, now: connections that were made under other
// options, on whatever listener, are held to it as well.

import type { ListenerSpec, TlsOptionsSpec } from '../../model/tls.ts';
import { wildcardAbove } from '../../tls/wildcard.ts';

export type ClientAuth = TlsOptionsSpec['clientAuth'];

/** Which options a host is served with. */
export class HostOptions {
  readonly #byHost: ReadonlyMap<string, string>;

  constructor(hosts: ListenerSpec['hosts']) {
    this.#byHost = new Map(hosts.map(({ host, options }) => [host, options]));
  }

  /** Name of the options; `host` in lower case. */
  nameFor(host: string): string {
    if (this.#byHost.size === 0) return 'default';
    const exact = this.#byHost.get(host);
    if (exact !== undefined) return exact;
    const wildcard = wildcardAbove(host);
    return (wildcard === null ? undefined : this.#byHost.get(wildcard)) ?? 'default';
  }
}

export class ClientDemands {
  readonly #hosts: HostOptions;
  readonly #byOptions: ReadonlyMap<string, ClientAuth>;
  /** Nobody is asked for anything: the usual case. */
  readonly #isNone: boolean;

  constructor(hosts: ListenerSpec['hosts'], options: ReadonlyMap<string, TlsOptionsSpec>) {
    this.#hosts = new HostOptions(hosts);
    const used = new Set(['default', ...hosts.map((one) => one.options)]);
    this.#byOptions = new Map([...used].map((name) => [name, options.get(name)?.clientAuth ?? null]));
    this.#isNone = [...this.#byOptions.values()].every((one) => one === null);
  }

  /** Whether a connection whose handshake asked for `asked` will do for `host`, in lower case. */
  areMetBy(asked: ClientAuth, host: string): boolean {
    return this.#isNone || meets(asked, this.#byOptions.get(this.#hosts.nameFor(host)) ?? null);
  }
}

/**
 * Whether whoever got through a handshake that asked for `asked` would also get through one that asks for `wanted`.
 * Told by the options alone: in doubt no, and the client comes again by a new connection.
 */
export function meets(asked: ClientAuth, wanted: ClientAuth): boolean {
  if (asked === wanted || wanted === null) return true;
  const type = asked?.type ?? 'NoClientCert';
  switch (wanted.type) {
    case 'NoClientCert':
    case 'RequestClientCert':
      return true;
    case 'RequireAnyClientCert':
      return type === 'RequireAnyClientCert' || type === 'RequireAndVerifyClientCert';
    case 'VerifyClientCertIfGiven':
      if (type === 'NoClientCert') return true;
      return (type === wanted.type || type === 'RequireAndVerifyClientCert') && trusts(asked, wanted);
    default:
      return type === wanted.type && trusts(asked, wanted);
  }
}

type Asked = NonNullable<ClientAuth>;

/** By what was asked, then by what is wanted: options that are gone take their answers along. */
const known = new WeakMap<Asked, WeakMap<Asked, boolean>>();

/** Whether all authorities of `asked` are still among those of `wanted`: one that was added cuts nobody off. */
function trusts(asked: ClientAuth, wanted: Asked): boolean {
  if (asked === null) return false;
  let answers = known.get(asked);
  if (answers === undefined) known.set(asked, (answers = new WeakMap()));
  let answer = answers.get(wanted);
  if (answer === undefined) {
    const now = new Set(certificatesIn(wanted.cas));
    answer = certificatesIn(asked.cas).every((one) => now.has(one));
    answers.set(wanted, answer);
  }
  return answer;
}

function certificatesIn(pems: readonly string[]): string[] {
  const single = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
  return pems.flatMap((pem) => (pem.match(single) ?? [pem]).map((one) => one.replace(/\s+/g, '')));
}
