// What a request is counted under: status, method and protocol in one small integer, so that nothing is made per
// request; and back to labels, where text is made.

/** Methods told apart, in the order of their numbers; the last stands for all others. */
export const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'EXTENSION_METHOD',
] as const;
const otherMethod = methods.length - 1;

/** Protocols told apart, in the order of their numbers; they stand below. */
export const protocols = ['http', 'websocket', 'sse', 'grpc-web', 'grpc'] as const;
export const plainProtocol = 0;
export const webSocketProtocol = 1;
export const sseProtocol = 2;
export const grpcWebProtocol = 3;
export const grpcProtocol = 4;

/**
 * Above every key without header labels. A request with such labels is counted twice: under its key with everything
 * known of it, and under `key + headers * headerStep` by number alone, which is all that has those labels.
 */
export const headerStep: number = 1 << 17;

/** `code`: 0 to 999. */
export function requestKey(code: number, method: string, protocol: number): number {
  return (code * 16 + methodIndex(method)) * 8 + protocol;
}

/**
 * Under which requests of all other keys are counted once a place has too many: by class of status alone, and with
 * header labels under the first combination, which stands for all others.
 */
export function overflowKey(key: number): number {
  const code = Math.floor((key % headerStep) / 128);
  // Those of gRPC have no classes; what stands for many already goes nowhere else.
  const isClass = code < 10 && key % 128 === otherMethod * 8 + plainProtocol;
  const group = isClass ? code : Math.min(9, Math.floor(code / 100));
  const own = (group * 16 + otherMethod) * 8 + plainProtocol;
  return key < headerStep ? own : own + headerStep;
}

export interface RequestLabels {
  readonly code: string;
  readonly method: string;
  readonly protocol: string;
}

/** Of a key without, or with, header labels: those the key itself tells. Not of keys below zero. */
export function labelsOfKey(key: number): RequestLabels {
  const own = key % headerStep;
  const protocol = own % 8;
  const code = Math.floor(own / 128);
  const isClass = code < 10 && protocol !== grpcProtocol && protocol !== grpcWebProtocol;
  return {
    code: isClass ? `${code}xx` : String(code),
    method: methods[Math.floor(own / 8) % 16] ?? 'EXTENSION_METHOD',
    protocol: protocols[protocol] ?? 'http',
  };
}

/** Versions and ciphers of TLS have keys below zero; 0 stands for what an engine does not tell, see `tlsTerms`. */
export function tlsKey(terms: number): number {
  return -1 - terms;
}

/** In the order of what is common. */
function methodIndex(method: string): number {
  switch (method) {
    case 'GET':
      return 0;
    case 'POST':
      return 2;
    case 'HEAD':
      return 1;
    case 'PUT':
      return 3;
    case 'DELETE':
      return 4;
    case 'OPTIONS':
      return 6;
    case 'PATCH':
      return 8;
    case 'CONNECT':
      return 5;
    case 'TRACE':
      return 7;
    default:
      return otherMethod;
  }
}
