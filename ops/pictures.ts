// `npm run pictures`: the dashboard's overview in front of the demo under load, light and dark, for README.md.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { demoUser } from './demo/services/auth.ts';
import { type Demo, startDemo } from './demo/start.ts';

const folder = fileURLToPath(new URL('../docs/pictures/', import.meta.url));
/** A picture above it is refused: whoever reads README.md loads both. */
const mostBytes = 200 * 1024;
/** Seconds of traffic before the pictures: most of what the charts show. */
const loadSeconds = Number(process.env['PICTURES_SECONDS'] ?? 100);
/** Milliseconds between two beats of traffic. */
const beat = 25;

const build = spawnSync(process.execPath, ['src/dashboard/build.ts'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(1);
const demo = await startDemo({ ports: 0 });
try {
  process.exitCode = await takePictures(demo);
} finally {
  await demo.stop();
}

async function takePictures(running: Demo): Promise<number> {
  const stopTraffic = startTraffic(running.gatewayUrl, await login(running.gatewayUrl));
  // In a container there are no namespaces for the browser's own sandbox; it sees our own page only.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  try {
    console.log(`traffic for ${loadSeconds} s`);
    await new Promise((resolve) => setTimeout(resolve, loadSeconds * 1000));
    mkdirSync(folder, { recursive: true });
    const sizes = [await shoot(browser, running, 'light'), await shoot(browser, running, 'dark')];
    return sizes.every((size) => size <= mostBytes) ? 0 : 1;
  } finally {
    stopTraffic();
    await browser.close();
  }
}

/** Bytes of the picture. */
async function shoot(browser: Browser, { apiUrl }: Demo, theme: 'light' | 'dark'): Promise<number> {
  const context = await browser.newContext({
    viewport: { width: 1200, height: 760 },
    deviceScaleFactor: 1.5,
    colorScheme: theme,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(`${apiUrl}/dashboard/#/overview`);
  await page.locator('canvas').nth(1).waitFor();
  // Two of its seconds, so that no chart is half drawn.
  await page.waitForTimeout(2500);
  const picture = await page.screenshot({ animations: 'disabled' });
  await context.close();
  const file = `${folder}dashboard-${theme}.png`;
  const verdict = picture.length > mostBytes ? `: more than ${mostBytes}, not written` : '';
  if (verdict === '') writeFileSync(file, picture);
  console.log(`docs/pictures/dashboard-${theme}.png ${picture.length} bytes${verdict}`);
  return picture.length;
}

async function login(url: string): Promise<string> {
  const answer = await fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(demoUser),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** What people do on an ordinary day: it swells and ebbs, most of it with a token, some of it lost. */
function startTraffic(url: string, token: string): () => void {
  const places = [
    '/api/v1/health',
    '/health',
    '/api/v1/health',
    '/admin',
    '/admin/api/users',
    '/auth/health',
  ];
  let beats = 0;
  const ask = async (path: string, headers: Record<string, string>): Promise<void> => {
    const answer = await fetch(url + path, { headers }).catch(() => null);
    await answer?.arrayBuffer().catch(() => null);
  };
  const timer = setInterval(() => {
    beats += 1;
    const share = 0.65 + 0.3 * Math.sin((beats * beat) / 9000) + 0.15 * Math.sin((beats * beat) / 2300);
    for (let one = 0; one < Math.round(10 * share); one += 1)
      void ask(places[(beats + one) % places.length] as string, { Authorization: `Bearer ${token}` });
    if (beats % 9 === 0) void ask('/api/v1/health', {});
    if (beats % 30 === 0) void ask('/nowhere', {});
  }, beat);
  return () => clearInterval(timer);
}
