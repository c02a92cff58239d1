// Names requests are likely to carry, and what becomes of each: found without making a hash of the string
// that the engine made, and kept as one string for all requests.

/** What intake does with a header line of this name. */
export const passes = 0;
export const isDropped = 1;
export const isFraming = 2;
/** Passes from trusted peers only. */
export const isForwarding = 3;

export interface KnownName {
  /** Lower case, of letters, digits and `-` alone: folded, it is itself. */
  readonly name: string;
  readonly action: number;
  /** Its place among all of them, from 0. */
  readonly index: number;
  /** Requests repeat each other's value; a secret is not kept beyond its request. */
  readonly repeats: boolean;
  /** The last value that was found to be safe; at most `maxRememberedChars`. */
  lastSafe: string;
  /** What came after it the last time: clients of a kind send their headers in one order. */
  next: KnownName | null;
}

/** Longest value that is remembered, UTF-16 units. */
export const maxRememberedChars = 256;

const framing = 'host content-length transfer-encoding connection upgrade te';
// RFC 9110 §7.6.1 and what browsers, proxies and HTTP/2 upgrades of the field add to it. `expect` is
// answered by the engine; a CGI backend reads `proxy` as HTTP_PROXY (httpoxy).
const dropped = `keep-alive proxy-connection proxy proxy-authenticate proxy-authorization http2-settings
  trailer trailers expect`;
const forwarding = `x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-server
  x-forwarded-prefix x-forwarded-uri x-forwarded-method x-real-ip x-original-url x-original-uri
  x-rewrite-url forwarded`;
const unique =
  'authorization cookie x-api-key x-csrf-token x-xsrf-token x-request-id traceparent if-none-match';
const usual = `accept accept-charset accept-encoding accept-language access-control-request-headers
  access-control-request-method cache-control content-encoding content-language content-type date dnt
  if-match if-modified-since if-range if-unmodified-since origin pragma priority purpose range referer
  save-data sec-ch-ua sec-ch-ua-arch sec-ch-ua-bitness sec-ch-ua-full-version-list sec-ch-ua-mobile
  sec-ch-ua-model sec-ch-ua-platform sec-ch-ua-platform-version sec-fetch-dest sec-fetch-mode
  sec-fetch-site sec-fetch-user sec-gpc sec-purpose sec-websocket-extensions sec-websocket-key
  sec-websocket-protocol sec-websocket-version tracestate upgrade-insecure-requests user-agent via
  x-requested-with`;

export const framingNames: readonly string[] = words(framing);
export const droppedNames: readonly string[] = words(dropped);

/** Slots of the table: a power of two well above the number of names. */
const slots = 512;
const all: readonly KnownName[] = [
  ...make(framing, isFraming, true),
  ...make(dropped, isDropped, false),
  ...make(forwarding, isForwarding, false),
  ...make(unique, passes, false),
  ...make(usual, passes, true),
].map((known, index) => ({ ...known, index }));
const table: readonly (KnownName | null)[] = fill();

export const knownNames: readonly KnownName[] = all;

/** Null for a name that is none of them; `name` is in lower case, `before` the known name before it. */
export function findKnown(name: string, before: KnownName | null): KnownName | null {
  const guess = before === null ? null : before.next;
  if (guess !== null && guess.name === name) return guess;
  const found = name === '' ? null : lookUp(name);
  if (before !== null && found !== null) before.next = found;
  return found;
}

function lookUp(name: string): KnownName | null {
  for (let slot = slotOf(name); ; slot = (slot + 1) & (slots - 1)) {
    const candidate = table[slot] as KnownName | null;
    if (candidate === null || candidate.name === name) return candidate;
  }
}

/** Of its length and three of its characters, by factors that leave three collisions: cheaper than all of them. */
function slotOf(name: string): number {
  const { length } = name;
  const first = name.charCodeAt(0);
  const middle = name.charCodeAt(length >> 1);
  const last = name.charCodeAt(length - 1);
  return (length + first * 25 + middle * 61 + last * 91) & (slots - 1);
}

function make(names: string, action: number, repeats: boolean): readonly KnownName[] {
  return words(names).map((name) => ({ name, action, index: 0, repeats, lastSafe: '', next: null }));
}

function words(text: string): readonly string[] {
  return text.split(/\s+/);
}

function fill(): readonly (KnownName | null)[] {
  const filled = Array.from<KnownName | null>({ length: slots }).fill(null);
  for (const known of all) {
    let slot = slotOf(known.name);
    while (filled[slot] !== null) slot = (slot + 1) & (slots - 1);
    filled[slot] = known;
  }
  return filled;
}
