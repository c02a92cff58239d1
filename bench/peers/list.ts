// The proxies that are compared, ours first.

import { caddy } from './caddy.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import type { Peer } from './peer.ts';
import { portcullis } from './portcullis.ts';
import { traefik } from './traefik.ts';

export const peers: readonly Peer[] = [portcullis, nginx, haproxy, caddy, traefik];
