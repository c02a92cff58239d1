// Static schema: `entryPoints.<name>`.

import { z } from 'zod';
import { bigint, bool, duration, int, list, object, section, text } from '../../proxy/middlewares/fields.ts';
import { key, keyOr, oneOf, refused } from './define.ts';

/** Go's MaxInt64 - 1: the redirection of a whole entry point. */
const redirectionPriority = 9223372036854775806n;

const lifeCycle = object({
  requestAcceptGraceTimeout: keyOr(duration, 0, 'How long requests are still accepted after SIGTERM'),
  graceTimeOut: keyOr(duration, 10_000, 'How long running requests may take after that'),
});

const respondingTimeouts = object({
  readTimeout: keyOr(duration, 60_000, 'For a body that stands still, and for a head; 0 is no limit'),
  readHeaderTimeout: keyOr(duration, 30_000, "For a request's head; 0 is `readTimeout` alone"),
  minBodyRate: keyOr(int, 240, 'Bytes a second a request body must bring on average; 0 is no limit'),
  writeTimeout: keyOr(duration, 0, 'For a whole response; 0 is no limit'),
  idleTimeout: keyOr(duration, 180_000, 'For an idle keep-alive connection'),
});

const transport = object({
  lifeCycle: lifeCycle.prefault({}),
  respondingTimeouts: respondingTimeouts.prefault({}),
  keepAliveMaxTime: keyOr(duration, 0, 'Age after which a connection is closed; 0 is no limit'),
  keepAliveMaxRequests: keyOr(int, 0, 'Requests after which a connection is closed; 0 is no limit'),
});

const forwardedHeaders = object({
  insecure: keyOr(bool, false, 'Trust the forwarded headers of every peer'),
  trustedIPs: keyOr(list, [], 'Peers whose forwarded headers are trusted'),
  connection: keyOr(list, [], 'Header names a client may list in Connection and still have passed on'),
  notAppendXForwardedFor: keyOr(bool, false, 'Do not append the peer to X-Forwarded-For'),
});

const redirection = object({
  to: key(text, 'Entry point or `:port` every request is redirected to'),
  scheme: keyOr(text, 'https', 'Scheme of the redirection'),
  permanent: keyOr(bool, true, 'Answer 301 or 308, not 302 or 307'),
  priority: keyOr(bigint, redirectionPriority, 'Priority of the redirection among the routers'),
});

const encodedCharacters = object({
  allowEncodedSlash: keyOr(bool, true, 'Let %2F stand in a path'),
  allowEncodedBackSlash: keyOr(bool, true, 'Let %5C stand in a path'),
  allowEncodedNullCharacter: keyOr(bool, true, 'Let %00 stand in a path'),
  allowEncodedSemicolon: keyOr(bool, true, 'Let %3B stand in a path'),
  allowEncodedPercent: keyOr(bool, true, 'Let %25 stand in a path'),
  allowEncodedQuestionMark: keyOr(bool, true, 'Let %3F stand in a path'),
  allowEncodedHash: keyOr(bool, true, 'Let %23 stand in a path'),
});

const domain = object({ main: key(text, 'Main domain'), sans: keyOr(list, [], 'Further domains') });

const tls = section({
  options: key(text, 'Name of the TLS options'),
  certResolver: key(text, 'Certificates resolver of the routers without a tls section'),
  domains: z.array(domain).optional(),
});

const http = object({
  redirections: object({ entryPoint: redirection.optional() }).optional(),
  middlewares: keyOr(list, [], 'Middlewares in front of those of every router, as name@provider'),
  tls: tls.optional(),
  encodedCharacters: encodedCharacters.prefault({}),
  encodeQuerySemicolons: keyOr(bool, false, 'Encode `;` in queries, instead of reading it as `&`'),
  sanitizePath: keyOr(bool, true, 'Collapse `//`, `/./` and `/../` before routing'),
  maxHeaderBytes: keyOr(int, 1_048_576, 'Bytes of a request head; more answers 431'),
  maxWebSocketMessage: keyOr(
    int,
    16_777_216,
    'Bytes of a WebSocket message on the engine uws; a longer one ends the connection (1009)',
  ),
  underscoreHeadersStrategy: keyOr(
    oneOf(['keep', 'delete', 'reject']),
    'keep',
    'Headers with `_` in their name: keep, delete or reject',
  ),
});

const http2 = object({
  maxConcurrentStreams: keyOr(int, 250, 'Streams per connection'),
  maxDecoderHeaderTableSize: keyOr(int, 4096, 'Bytes of the header table for requests'),
  maxEncoderHeaderTableSize: keyOr(int, 4096, 'Bytes of the header table for responses'),
});

const observability = object({
  accessLogs: keyOr(bool, true, 'Write access log lines for this entry point'),
  metrics: keyOr(bool, true, 'Count requests of this entry point'),
  tracing: keyOr(bool, true, 'Trace requests of this entry point'),
  traceVerbosity: keyOr(oneOf(['minimal', 'detailed']), 'minimal', 'minimal or detailed'),
});

const entryPoint = object({
  address: key(text, 'Where to listen: `[host]:port`'),
  engine: keyOr(oneOf(['uws', 'node', 'auto']), 'auto', 'Listener implementation: uws, node or auto'),
  asDefault: keyOr(bool, false, 'Routers without entry points attach to the entry points marked so'),
  allowACMEByPass: keyOr(bool, false, 'Let routers catch ACME challenge paths'),
  reusePort: keyOr(bool, false, 'Accepted; workers always share their ports this way'),
  transport: transport.prefault({}),
  proxyProtocol: refused(
    'put `forwardedHeaders.trustedIPs` there when the balancer in front can send X-Forwarded-For',
  ),
  forwardedHeaders: forwardedHeaders.prefault({}),
  http: http.prefault({}),
  http2: http2.optional(),
  http3: refused('delete the section: clients that try HTTP/3 go on over TCP'),
  udp: refused('only HTTP is served'),
  observability: observability.prefault({}),
});

export const entryPoints = z.record(z.string(), entryPoint);
export type StaticEntryPoint = z.output<typeof entryPoint>;
