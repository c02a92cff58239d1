// What the spans of middlewares are called, as Traefik calls them.

const odd: Readonly<Record<string, string>> = {
  buffering: 'Buffer',
  errors: 'CustomError',
  ipAllowList: 'IPAllowLister',
  ipWhiteList: 'IPWhiteLister',
  passTLSClientCert: 'PassClientTLSCert',
  rateLimit: 'RateLimiterType',
};

/** `forwardAuth` → `ForwardAuth`. */
export function spanName(kind: string): string {
  return odd[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1);
}
