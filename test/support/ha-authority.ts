// A certificate authority on a host of its own: pebble, which believes every challenge and counts what is ordered.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './gateway.ts';
import type { Lan } from './namespaces.ts';
import { makeAuthority } from './pki.ts';

export interface Authority {
  /** `caServer`. */
  readonly directory: string;
  /** Of the root its own HTTPS certificate comes from. */
  readonly rootFile: string;
  /** Orders made so far. */
  orders(): number;
  /** Connections are taken, nothing is answered. */
  pause(): void;
  resume(): void;
}

export async function startAuthority(dir: string, lan: Lan): Promise<Authority> {
  const at = (name: string): string => join(dir, `pebble-${name}`);
  const address = lan.address('authority');
  const authority = makeAuthority('Pebble HTTPS');
  const { cert, key } = authority.issue(['authority', address]);
  authority.close();
  writeFileSync(at('cert.pem'), cert);
  writeFileSync(at('key.pem'), key, { mode: 0o600 });
  writeFileSync(at('root.pem'), authority.root);
  const pebble = {
    listenAddress: `${address}:14000`,
    managementListenAddress: `${address}:15000`,
    certificate: at('cert.pem'),
    privateKey: at('key.pem'),
    httpPort: 80,
    tlsPort: 443,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  };
  writeFileSync(at('config.json'), JSON.stringify({ pebble }));
  const env = { PEBBLE_VA_ALWAYS_VALID: '1', PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '5' };
  const running = lan.start('authority', ['pebble', '-config', at('config.json')], { env });
  await eventually('pebble listens', () => running.output().includes('Listening on'), 15_000);
  return {
    directory: `https://${address}:14000/dir`,
    rootFile: at('root.pem'),
    orders: () => running.output().match(/Added order/g)?.length ?? 0,
    pause: () => running.killGroup('SIGSTOP'),
    resume: () => running.killGroup('SIGCONT'),
  };
}
