// What `explain` looks at, from the API of a running gateway.

import http from 'node:http';
import { byName, type Facts, type Shown } from '../../primary/explain/facts.ts';

/** Throws `Error` with a sentence for people. `endpoint` is the API's URL with its base path. */
export async function factsFrom(endpoint: string): Promise<Facts> {
  const read = (section: string): Promise<Shown[]> => readAll(endpoint, section);
  return {
    entryPoints: await read('entrypoints'),
    routers: await read('http/routers'),
    middlewares: byName(await read('http/middlewares')),
    services: byName(await read('http/services')),
    certificates: await read('tls/certificates').catch(() => []),
    isRunning: true,
  };
}

/** Milliseconds for one page. */
const deadline = 10_000;
/** Bytes of one page. */
const maxAnswer = 32 * 1024 * 1024;
const perPage = 500;
const maxPages = 200;

async function readAll(endpoint: string, section: string): Promise<Shown[]> {
  const items: Shown[] = [];
  for (let page = 1, left = maxPages; left > 0; left -= 1) {
    const url = new URL(`${endpoint.replace(/\/+$/, '')}/api/${section}?page=${page}&per_page=${perPage}`);
    const { status, next, body } = await get(url);
    if (status !== 200) {
      throw new Error(`the API answered ${status}${status === 404 ? '; is `api` on at this endpoint?' : ''}`);
    }
    items.push(...readPage(body));
    if (next <= page) break;
    page = next;
  }
  return items;
}

function readPage(body: string): Shown[] {
  let read: unknown;
  try {
    read = JSON.parse(body);
  } catch {
    throw new Error('what answers there is no API of this gateway');
  }
  if (!Array.isArray(read)) throw new Error('what answers there is no API of this gateway');
  return read.filter((item): item is Shown => typeof (item as { name?: unknown } | null)?.name === 'string');
}

function get(url: URL): Promise<{ status: number; next: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > maxAnswer) request.destroy(new Error('the answer is too large'));
      });
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(timer);
        resolve({
          status: response.statusCode ?? 0,
          next: Number(response.headers['x-next-page'] ?? 1),
          body,
        });
      });
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${deadline} ms`)), deadline);
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}
