// Asks the API of a running gateway to do something.

import http from 'node:http';

/** Milliseconds. */
const deadline = 10_000;
/** Characters of an answer that are read. */
const maxAnswer = 64 * 1024;

/** Null when the endpoint, which may have a base path, is none that can be asked. */
export function apiUrl(endpoint: string | undefined, path: string): URL | null {
  const base = endpoint ?? 'http://127.0.0.1:8080';
  if (!URL.canParse(base) || new URL(base).protocol !== 'http:') return null;
  return new URL(`${base.replace(/\/+$/, '')}${path}`);
}

export function postJson(url: URL, body: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const request = http.request(url, { method: 'POST', headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (text.length < maxAnswer) text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, body: text });
      });
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${deadline} ms`)), deadline);
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(body);
  });
}

/** What the API gave as its reason, as the end of a sentence; empty for none. */
export function reasonIn(body: string): string {
  try {
    const { message } = JSON.parse(body) as { readonly message?: unknown };
    return typeof message === 'string' ? `: ${message.slice(0, 300)}` : '';
  } catch {
    return '';
  }
}
