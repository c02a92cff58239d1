// A server's header section on its way to the client.

import type { HeaderList } from '../headers.ts';
import { hopByHop, nominatedNames, withoutNames } from './hop-by-hop.ts';

/** From raw name, value, name, value …; names to lower case, hop-by-hop and nominated names gone. */
export function readResponseHeaders(raw: readonly (Buffer | string)[]): HeaderList {
  const headers: HeaderList = [];
  let nominated = '';
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = latin1(raw[i] as Buffer | string).toLowerCase();
    const value = latin1(raw[i + 1] as Buffer | string);
    if (name === 'connection') nominated += `,${value.toLowerCase()}`;
    // `date` is written by the listener.
    if (name !== 'date' && !hopByHop.has(name)) headers.push(name, value);
  }
  return nominated === '' ? headers : withoutNames(headers, nominatedNames(nominated));
}

function latin1(bytes: Buffer | string): string {
  return typeof bytes === 'string' ? bytes : bytes.toString('latin1');
}
