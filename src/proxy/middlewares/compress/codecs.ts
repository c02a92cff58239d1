// The three encodings: whole and in a stream, at levels that suit answers made while a client waits.

import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import type { Transform } from 'node:stream';

export type Encoding = 'gzip' | 'br' | 'zstd';

/** A compressing stream that can be told to let go of what it holds. */
export type Compressor = Transform & { flush(kind: number, done?: () => void): void };

export interface Codec {
  readonly encoding: Encoding;
  whole(body: Uint8Array): Uint8Array;
  stream(): Compressor;
  /** What `flush` takes so that all given so far can be read. */
  readonly flushKind: number;
}

// Brotli's default of 11 is for files compressed once: 4 costs about what gzip does. A window of 256 KiB
// bounds what one answer holds.
const brotli = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 },
};
const zstd = { params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_windowLog]: 18 } };

export const codecs: Readonly<Record<Encoding, Codec>> = {
  gzip: {
    encoding: 'gzip',
    whole: (body) => gzipSync(body),
    stream: () => createGzip(),
    flushKind: constants.Z_SYNC_FLUSH,
  },
  br: {
    encoding: 'br',
    whole: (body) => brotliCompressSync(body, brotli),
    stream: () => createBrotliCompress(brotli),
    flushKind: constants.BROTLI_OPERATION_FLUSH,
  },
  zstd: {
    encoding: 'zstd',
    whole: (body) => zstdCompressSync(body, zstd),
    stream: () => createZstdCompress(zstd) as unknown as Compressor,
    flushKind: constants.ZSTD_e_flush,
  },
};
