// An inspected container as plain data: what the rest of this folder works on.

export interface Container {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `running`, `exited`, `paused`, … */
  readonly state: string;
  /** Empty or `none` without a health check, else `healthy`, `unhealthy`, `starting`. */
  readonly health: string;
  /** `host`, `none`, `container:<id>`, or a network's name. */
  readonly networkMode: string;
  readonly networks: readonly ContainerNetwork[];
  /** Exposed and published ones. */
  readonly ports: readonly ContainerPort[];
}

export interface ContainerNetwork {
  readonly name: string;
  readonly id: string;
  /** Empty: none. */
  readonly ipv4: string;
  readonly ipv6: string;
}

export interface ContainerPort {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** Where the host publishes it; `ip` may be empty, `0.0.0.0` or `::`. */
  readonly bindings: readonly { readonly ip: string; readonly port: number }[];
}
