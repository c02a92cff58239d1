// /api/portcullis/servers/drain: which servers get no new sessions; GET lists, POST changes.

import type { ApiAnswer, ApiRequest, ServerName } from '../../model/ipc.ts';
import { parseServerUrl } from '../../config/dynamic/server-url.ts';
import { failure, json, methodNotAllowed } from './answers.ts';
import { refusalOf, unconfirmed } from './posted.ts';

const maxBody = 16 * 1024;
const maxText = 2048;

export interface DrainSource {
  list(): readonly ServerName[];
  set(server: ServerName, drain: boolean): Promise<boolean>;
}

export async function drainServers(request: ApiRequest, drains: DrainSource): Promise<ApiAnswer> {
  if (request.method === 'GET' || request.method === 'HEAD') return json({ drains: drains.list() });
  if (request.method !== 'POST') return methodNotAllowed('GET, POST');
  const refusal = refusalOf(request, maxBody);
  if (refusal !== null) return refusal;
  const wish = readWish(request.body);
  if (wish === null)
    return failure(400, 'expected {"service":"name@provider","url":"http://…","drain":true}');
  try {
    const { drain, ...server } = wish;
    if (await drains.set(server, drain)) return json(wish);
    return failure(404, 'there is no such service, or it has no such server');
  } catch (error) {
    return unconfirmed(error);
  }
}

function readWish(text: string): (ServerName & { readonly drain: boolean }) | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { service, url, drain } = value as Readonly<Record<string, unknown>>;
  if (typeof service !== 'string' || service.length > maxText || typeof drain !== 'boolean') return null;
  const read = typeof url === 'string' && url.length <= maxText ? parseServerUrl(url.trim()) : '';
  return typeof read === 'string' ? null : { service, url: read.origin, drain };
}
