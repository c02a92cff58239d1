// What a build of the docker configuration is told beside the containers themselves.

import type { RuleSyntax } from '../../model/snapshot.ts';

export interface DockerSettings {
  readonly exposedByDefault: boolean;
  /** Expression over labels; empty: every container fits. */
  readonly constraints: string;
  readonly allowEmptyServices: boolean;
  /** Network whose address is used where no label names one; empty: none. */
  readonly network: string;
  readonly useBindPortIP: boolean;
  /** Template of the rule of routers that have none. */
  readonly defaultRule: string;
  /** Names of networks the gateway itself is on; empty when unknown. */
  readonly ownNetworks: readonly string[];
  /** Where containers in host mode are reached. */
  readonly hostAddress: string;
  /** For routers that name none. */
  readonly ruleSyntax: RuleSyntax;
  /** For `env` in the default rule's template. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The labels that last made a sound configuration, by container name: a container made anew with broken labels
 * is served by them. At most 1000, the oldest leave first.
 */
export type LastGood = Map<string, Readonly<Record<string, string>>>;
