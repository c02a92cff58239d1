// What `explain` looks at: entry points, routers, middlewares and services as the API shows them, so that files
// and a running gateway are told about in the same words.

import http from 'node:http';
import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { certificateFacts, tlsCertificateView } from '../../primary/api/certificate-view.ts';
import { entryPointView } from '../../primary/api/entry-point-view.ts';
import { viewsOf } from '../../primary/api/views.ts';

/** One object of the API; every field may be missing, since another version may have written it. */
export type Shown = { readonly name: string } & { readonly [field: string]: unknown };

export interface Facts {
  readonly entryPoints: readonly Shown[];
  readonly routers: readonly Shown[];
  readonly middlewares: ReadonlyMap<string, Shown>;
  readonly services: ReadonlyMap<string, Shown>;
  /** Named by their fingerprints. */
  readonly certificates: readonly Shown[];
  /** Whether somebody looks after the servers at present. */
  readonly isRunning: boolean;
}

export function factsOf(snapshot: Snapshot, entryPoints: readonly EntryPointSpec[]): Facts {
  const views = viewsOf(snapshot, () => null);
  return {
    // The same detour over text that answers of the API take.
    entryPoints: plain(entryPoints.map((point) => entryPointView(point, snapshot.tls.listeners))),
    routers: plain(views.routers),
    middlewares: byName(plain(views.middlewares)),
    services: byName(plain(views.services)),
    certificates: plain(certificateFacts(snapshot).map(tlsCertificateView)),
    isRunning: false,
  };
}

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

function plain(items: readonly object[]): Shown[] {
  return JSON.parse(JSON.stringify(items)) as Shown[];
}

function byName(items: readonly Shown[]): Map<string, Shown> {
  return new Map(items.map((item) => [item.name, item]));
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
