// The endpoint option as an address that can be connected to.

import { isAbsolute } from 'node:path';

export interface Endpoint {
  /** What requests are addressed to; for a unix socket a name that is never looked up. */
  readonly origin: string;
  /** Null: TCP. */
  readonly socketPath: string | null;
  /** For messages: without user and password. */
  readonly shown: string;
  /** Of the URL itself; empty when it names none. */
  readonly username: string;
  readonly password: string;
}

export type EndpointResult =
  | { readonly ok: true; readonly endpoint: Endpoint }
  | { readonly ok: false; readonly problem: string };

const expected = 'expected `unix:///path`, `tcp://host:port`, `http://host:port` or `https://host:port`';

/** `usesTls`: the `tls` section is written, which makes `tcp://` an https address. Port 2375, with TLS 2376. */
export function parseEndpoint(text: string, usesTls: boolean): EndpointResult {
  if (text.startsWith('unix://')) return unixEndpoint(text.slice('unix://'.length));
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== 'tcp' && scheme !== 'http' && scheme !== 'https') {
    const named = scheme === undefined ? 'it has no scheme' : `the scheme is \`${scheme.slice(0, 20)}\``;
    return { ok: false, problem: `${named}, ${expected}` };
  }
  const isSecure = scheme === 'https' || (scheme === 'tcp' && usesTls);
  return tcpEndpoint(`${isSecure ? 'https' : 'http'}${text.slice(scheme.length)}`, isSecure);
}

function unixEndpoint(path: string): EndpointResult {
  if (!isAbsolute(path)) return { ok: false, problem: `the path of the socket is not absolute, ${expected}` };
  const endpoint = {
    origin: 'http://docker',
    socketPath: path,
    shown: `unix://${path}`,
    username: '',
    password: '',
  };
  return { ok: true, endpoint };
}

function tcpEndpoint(text: string, isSecure: boolean): EndpointResult {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === '') return { ok: false, problem: `it is not an address, ${expected}` };
  if ((url.pathname !== '/' && url.pathname !== '') || url.search !== '')
    return { ok: false, problem: `it has a path, ${expected}` };
  // `URL` drops a written port that is the scheme's own.
  const written = /:(\d+)\/?$/.exec(text)?.[1];
  const port = url.port === '' ? (written ?? (isSecure ? '2376' : '2375')) : url.port;
  const origin = `${url.protocol}//${url.hostname}:${port}`;
  return {
    ok: true,
    endpoint: {
      origin,
      socketPath: null,
      shown: origin,
      username: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
    },
  };
}
