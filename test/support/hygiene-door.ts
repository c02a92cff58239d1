// A front door with every kind of route, and what its server and auth server may see of names that it answers for.

import assert from 'node:assert/strict';
import { type FrontDoor, openFrontDoor } from './front-door.ts';
import { fold, foldedValues, forwardingNames, identityNames } from './spellings.ts';

export const mark = '6.6.6.6';
export const good = 'Authorization: good';
export const basic = `Authorization: Basic ${Buffer.from('ann:pass').toString('base64')}`;
export const upgrade = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
export const everywhere = [...identityNames, 'X-Basic-User', ...forwardingNames];
/** Set or deleted by the routers `/custom` and `/page` alone. */
export const edited = ['X-Added', 'X-Added-Too', 'X-Taken'];
/** The engines take 100 header lines a request. */
const linesPerRequest = 80;

export interface HygieneRoute {
  readonly target: string;
  readonly lines: readonly string[];
  readonly status: number;
  /** Not over HTTP/2. */
  readonly isUpgrade?: true;
}

let fresh = 0;
/** Every kind of answer. A cache is asked for what it has, and for what it cannot have. */
export const hygieneRoutes: readonly (() => HygieneRoute)[] = [
  () => ({ target: '/health', lines: [], status: 200 }),
  () => ({ target: '/api', lines: [good], status: 200 }),
  () => ({ target: '/api', lines: [], status: 401 }),
  () => ({ target: '/cached', lines: [good], status: 200 }),
  () => ({ target: `/cached/${++fresh}`, lines: [good], status: 200 }),
  () => ({ target: '/cached', lines: [`Authorization: bad${++fresh}`], status: 401 }),
  () => ({ target: '/trusting', lines: [good], status: 200 }),
  () => ({ target: '/basic', lines: [basic], status: 200 }),
  () => ({ target: '/custom', lines: [], status: 200 }),
  () => ({ target: '/cut/health', lines: [], status: 200 }),
  () => ({ target: '/replaced', lines: [], status: 200 }),
  () => ({ target: '/page', lines: [], status: 401 }),
  () => ({ target: '/page-of-none', lines: [], status: 503 }),
  () => ({ target: '/old', lines: [], status: 301 }),
  () => ({ target: '/nothing', lines: [], status: 404 }),
  () => ({ target: '/ws/a', lines: upgrade, status: 101, isUpgrade: true }),
  () => ({ target: '/api/ws', lines: [good, ...upgrade], status: 101, isUpgrade: true }),
  () => ({ target: '/cached/ws', lines: [good, ...upgrade], status: 101, isUpgrade: true }),
  () => ({ target: '/api/ws', lines: upgrade, status: 401, isUpgrade: true }),
];

const editing = {
  headers: { customRequestHeaders: { 'X-Added': 'by us', 'X-Added-Too': 'too', 'X-Taken': '' } },
};
const prefixed = (path: string, middlewares: readonly string[], service = 'origin') => ({
  rule: `PathPrefix(\`${path}\`)`,
  service,
  middlewares,
  priority: 120,
});

export async function openHygieneDoor(engine: 'uws' | 'node'): Promise<FrontDoor> {
  return await openFrontDoor({
    entryPoint: { engine },
    routers: {
      custom: prefixed('/custom', ['adds']),
      basic: prefixed('/basic', ['login']),
      cut: prefixed('/cut', ['cut']),
      replaced: prefixed('/replaced', ['replaced']),
      page: prefixed('/page', ['adds', 'pages', 'auth']),
      'page-of-none': { ...prefixed('/page-of-none', ['pages'], 'none'), priority: 130 },
    },
    middlewares: {
      adds: editing,
      login: { basicAuth: { users: ['ann:{SHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ='], headerField: 'X-Basic-User' } },
      cut: { stripPrefix: { prefixes: ['/cut'] } },
      replaced: { replacePath: { path: '/health/fixed' } },
      pages: { errors: { status: ['401', '500-599'], service: 'origin', query: '/health/page/{status}' } },
    },
  });
}

export function assertAllClean(door: FrontDoor, what: string): void {
  for (const [who, list] of Object.entries({ server: door.origin, 'auth server': door.auth })) {
    for (const { raw } of list) {
      for (const name of everywhere) {
        const values = foldedValues(raw, name);
        assert.ok(values.length <= 1, `${what}: the ${who} got ${name} ${values.length} times`);
        assert.ok(!values.join().includes(mark), `${what}: the ${who} got ${name}: ${values.join()}`);
      }
    }
  }
}

export function assertEdited(raw: readonly string[]): void {
  assert.deepEqual(foldedValues(raw, 'X-Added'), ['by us']);
  assert.deepEqual(foldedValues(raw, 'X-Added-Too'), ['too']);
  assert.deepEqual(
    raw.filter((name, i) => i % 2 === 0 && fold(name) === fold('X-Taken')),
    [],
  );
}

export function batches<T>(all: readonly T[], size = linesPerRequest): T[][] {
  const found: T[][] = [];
  for (let from = 0; from < all.length; from += size) found.push(all.slice(from, from + size));
  return found;
}
