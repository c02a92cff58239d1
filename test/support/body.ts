// The body of an answer as a client of Node reads it.

import type { IncomingMessage } from 'node:http';

/** As UTF-8, whole and of any length; rejects when the connection breaks before its end. */
export function bodyOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('error', reject);
    response.on('end', () => resolve(text));
  });
}
