// nginx: keep-alive to the servers, forwarding headers, bodies streamed and not spooled to files.

import { join } from 'node:path';
import { certificate, cipherSuites } from '../certificate.ts';
import { rateLimit, type Route, type Site } from '../site.ts';
import { nginxArgs, nginxText } from './nginx-file.ts';
import { hasGuard, isLimited, isSticky, type Peer, type Place } from './peer.ts';

export const nginx: Peer = {
  name: 'nginx',
  command: 'nginx',
  version: ['-v'],
  plan(site, place) {
    if (isSticky(site)) return { unable: 'its open-source build has no sticky cookie' };
    const home = place.folder;
    const parts = {
      http: text(site, place),
      workers: place.cores,
      connections: site.connections * 2 + 2_048,
    };
    return {
      label: labelOf(site),
      files: { [join(home, 'nginx.conf')]: nginxText(home, parts), ...pemFiles(site, home) },
      program: { command: 'nginx', args: nginxArgs(home) },
      reload: (pid) => void process.kill(pid, 'SIGHUP'),
    };
  },
};

function labelOf(site: Site): string {
  if (isLimited(site)) return 'nginx limit_req';
  if (hasGuard(site, 'cached')) return 'nginx auth_request + proxy_cache';
  return hasGuard(site, 'asked') ? 'nginx auth_request' : 'nginx';
}

function text(site: Site, place: Place): string {
  const { backends, folder } = place;
  const upstream = (name: string, address: string): string =>
    `upstream ${name} { server ${address}; keepalive 256; keepalive_requests 100000000; }`;
  return `${site.accessLog ? `access_log ${folder}/access.log combined buffer=64k flush=1s;` : ''}
    server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
    ${isLimited(site) ? `limit_req_zone $binary_remote_addr zone=clients:10m rate=${rateLimit}r/s;` : ''}
    proxy_cache_path ${folder}/cache keys_zone=auth:1m;
    map $http_upgrade $wanted_connection { default upgrade; '' ''; }
    ${upstream('origin', backends.origin)}
    ${upstream('node', backends.node)}
    ${upstream('auth', backends.auth)}
    proxy_http_version 1.1; proxy_request_buffering off; proxy_max_temp_file_size 0; client_max_body_size 0;
    proxy_read_timeout 1h;
    proxy_set_header Connection $wanted_connection; proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
    ${site.isHttps === true ? tlsText(folder) : ''}
    ${servers(site, place.port)}`;
}

function pemFiles(site: Site, folder: string): Record<string, string> {
  if (site.isHttps !== true) return {};
  const { cert, key } = certificate();
  return { [join(folder, 'cert.pem')]: cert, [join(folder, 'key.pem')]: key };
}

function tlsText(folder: string): string {
  return `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ${cipherSuites};`;
}

function servers({ routes, isHttps }: Site, port: number): string {
  const tls = isHttps === true ? ' ssl' : '';
  const byHost = Map.groupBy(routes, (route) => route.host ?? '_');
  return [...byHost]
    .map(([host, own], i) => {
      const listen = `127.0.0.1:${port}${tls}${i === 0 ? ' backlog=4096' : ''}${host === '_' ? ' default_server' : ''}`;
      return `server { listen ${listen}; server_name ${host}; ${own.map(location).join('\n')} }`;
    })
    .join('\n    ');
}

function location(route: Route): string {
  const limit = route.isLimited ? `limit_req zone=clients burst=${rateLimit} nodelay;` : '';
  if (route.guard === null) return `location ${route.path} { ${limit} proxy_pass http://${route.to}; }`;
  const ask = `internal; proxy_pass http://auth/validate; proxy_pass_request_body off;
      proxy_set_header Connection ""; proxy_set_header Content-Length ""; proxy_set_header Host $http_host;`;
  const keep = `proxy_cache auth; proxy_cache_key $http_authorization; proxy_cache_valid 200 60s;`;
  return `location ${route.path} {
      auth_request /_${route.guard}; auth_request_set $uid $upstream_http_x_user_id;
      proxy_set_header Connection ""; proxy_set_header X-User-Id $uid; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_pass http://${route.to}; }
    location = /_${route.guard} { ${ask} ${route.guard === 'cached' ? keep : ''} }`;
}
