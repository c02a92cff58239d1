// `npm run build:dashboard`: the browser's part to dist/dashboard. Reads and writes files, asks no network. Where vite
// is not installed, as in an image without development packages, it says so and leaves what is there.

import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const outDir = fileURLToPath(new URL('../../dist/dashboard', import.meta.url));

const vite = await import('vite').catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'ERR_MODULE_NOT_FOUND') return null;
  throw error;
});
if (vite === null) {
  console.log('portcullis: the dashboard is not built, vite is not installed');
} else {
  await vite.build({
    configFile: false,
    root,
    // Relative names hold below any prefix.
    base: './',
    logLevel: process.argv.includes('--watch') ? 'info' : 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      // A data: address is nothing the policy lets in.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      ...(process.argv.includes('--watch') ? { watch: {} } : {}),
    },
  });
}
