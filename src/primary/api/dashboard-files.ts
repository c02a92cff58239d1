// dist/dashboard in memory, as it is and packed; read when somebody first asks.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

export interface DashboardFile {
  readonly type: string;
  readonly content: Buffer;
  /** Null where packing gains nothing. */
  readonly br: Buffer | null;
  readonly gzip: Buffer | null;
}

const folder = fileURLToPath(new URL('../../../dist/dashboard/', import.meta.url));
/** The build makes about five, of 100 KB together. */
const maxFiles = 64;
const maxBytes = 4 * 1024 * 1024;

const types: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
]);

let loaded: Promise<ReadonlyMap<string, DashboardFile>> | null = null;

export function isDashboardBuilt(): boolean {
  return existsSync(path.join(folder, 'index.html'));
}

/** By their paths with `/`; null when nothing has been built yet. */
export function dashboardFiles(): Promise<ReadonlyMap<string, DashboardFile> | null> {
  if (loaded === null && !isDashboardBuilt()) return Promise.resolve(null);
  loaded ??= load().catch((error: unknown) => {
    loaded = null;
    throw error;
  });
  return loaded;
}

async function load(): Promise<ReadonlyMap<string, DashboardFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, DashboardFile>();
  let bytes = 0;
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    const type = types.get(path.extname(file));
    if (type === undefined) continue;
    const content = await readFile(file);
    bytes += content.length;
    if (files.size >= maxFiles || bytes > maxBytes) throw new Error('dist/dashboard is too large');
    files.set(path.relative(folder, file).split(path.sep).join('/'), await packed(type, content));
  }
  return files;
}

async function packed(type: string, content: Buffer): Promise<DashboardFile> {
  const br = await promisify(brotliCompress)(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  });
  const zipped = await promisify(gzip)(content, { level: 9 });
  const orNull = (bytes: Buffer): Buffer | null => (bytes.length < content.length ? bytes : null);
  return { type, content, br: orNull(br), gzip: orNull(zipped) };
}
