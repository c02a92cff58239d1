// The header section a server gets.

import type { Exchange } from '../exchange.ts';
import type { HeaderList } from '../headers.ts';

/** Flat name, value; the Exchange's own list stays as it is, for the log and for a second attempt. */
export function upstreamHeaders(x: Exchange, host: string): HeaderList {
  const headers: HeaderList = ['host', host];
  const source = x.headers;
  let forwardedFor = '';
  for (let i = 0; i < source.length; i += 2) {
    const name = source[i] as string;
    if (name === 'x-forwarded-for') {
      forwardedFor += forwardedFor === '' ? source[i + 1] : `, ${source[i + 1]}`;
      continue;
    }
    headers.push(name, source[i + 1] as string);
  }
  if (x.entryPoint.spec.forwardedHeaders.notAppendXForwardedFor || x.dropForwardedFor) {
    if (forwardedFor !== '') headers.push('x-forwarded-for', forwardedFor);
  } else {
    headers.push('x-forwarded-for', forwardedFor === '' ? x.peer : `${forwardedFor}, ${x.peer}`);
  }
  x.trace?.ask(x, headers);
  return headers;
}
