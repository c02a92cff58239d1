// One nginx.conf: what the origin and the peer have in common.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface NginxText {
  /** Inside `http { }`. */
  readonly http: string;
  readonly workers: number;
  /** Per worker, both sides counted. */
  readonly connections: number;
}

/** Writes it under `home`: the arguments to run it with. */
export function nginxFile(home: string, parts: NginxText): readonly string[] {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'nginx.conf'), nginxText(home, parts));
  return nginxArgs(home);
}

export function nginxArgs(home: string): readonly string[] {
  return ['-p', home, '-c', join(home, 'nginx.conf'), '-e', 'stderr'];
}

export function nginxText(home: string, { http, workers, connections }: NginxText): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${home}/${kind};`)
    .join('\n    ');
  // As root nginx would drop to a user that cannot read the folder.
  const user = process.getuid?.() === 0 ? 'user root; ' : '';
  return `${user}daemon off; worker_processes ${workers}; pid ${home}/pid; error_log stderr error;
events { worker_connections ${connections}; }
http {
    keepalive_requests 100000000; keepalive_timeout 300s; access_log off;
    ${temporary}
    ${http}
}
`;
}
