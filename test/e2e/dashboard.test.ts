// The dashboard in a real browser, in front of a real gateway: every page, wide and narrow, light and dark.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { complaintsOf, faintTexts, hasBrowser, shoot, startBrowser, unreadable } from '../support/browser.ts';
import { buildDashboard } from '../support/dashboard.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { makeAuthority } from '../support/pki.ts';

// What runs in the page is typed by nobody here.
declare const document: any;
declare const getComputedStyle: (element: any) => { readonly backgroundColor: string };
declare const PerformanceObserver: any;

const pages = [
  ['overview', 'Overview'],
  ['entrypoints', 'Entry points'],
  ['routers', 'Routers'],
  ['routers/broken%40file', 'broken@file'],
  ['routers/top%40file', 'top@file'],
  ['services', 'Services'],
  ['services/app%40file', 'app@file'],
  ['middlewares', 'Middlewares'],
  ['middlewares/auth%40file', 'auth@file'],
  ['certificates', 'Certificates'],
  ['errors', 'Recent errors'],
  ['diagnostics', 'Configuration'],
  ['explain', 'Explain'],
  ['cache', 'Auth cache'],
] as const;

describe('the dashboard', { skip: !hasBrowser, timeout: 170_000 }, () => {
  let origin: Origin;
  let auth: Origin;
  let gateway: TestGateway;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  const at = (place: string): string => `${gateway.url('traefik')}/dashboard/#/${place}`;

  before(async () => {
    buildDashboard();
    origin = await startOrigin({ answer: (_request, response) => void response.end('hello') });
    auth = await startOrigin({
      answer: (_request, response) => {
        response.setHeader('x-user-id', '17');
        response.end();
      },
    });
    gateway = await startGateway({
      workers: 2,
      static: { api: { insecure: true, dashboardName: 'Night shift' }, entryPoints: { web: {}, safe: {} } },
      dynamic: dynamicFor(origin.url, auth.url),
    });
    browser = await startBrowser();
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      // A colour on its way from one to another is neither.
      reducedMotion: 'reduce',
    });
    page = await context.newPage();
    complaints = complaintsOf(page, gateway.url('traefik'));
    await page.goto(at('overview'));
  });
  after(async () => {
    await browser?.close();
    await gateway?.stop();
    await Promise.all([origin?.stop(), auth?.stop()]);
  });

  const visit = async (place: string, title: string): Promise<void> => {
    await page.goto(at(place));
    await page.waitForFunction((text) => document.querySelector('h1')?.textContent === text, title);
    await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null);
  };
  const send = async (host: string, count: number): Promise<void> => {
    const url = gateway.url('web');
    for (let i = 0; i < count; i += 1) {
      const headers = { authorization: 'Bearer canary-token', 'x-forwarded-host': host };
      await (await fetch(`${url}/${host}`, { headers })).arrayBuffer();
    }
  };

  for (const width of [1280, 360]) {
    for (const scheme of ['light', 'dark'] as const) {
      test(`every page reads well at ${width} px, ${scheme}`, async () => {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme: scheme });
        for (const [place, title] of pages) {
          await visit(place, title);
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          assert.ok(overflow <= 0, `${place} is ${overflow} px too wide`);
          assert.deepEqual(await unreadable(page), [], place);
          assert.deepEqual(await faintTexts(page), [], place);
          await shoot(page, `${place.replace(/\W+/g, '-')}-${width}-${scheme}`);
        }
        assert.deepEqual(complaints, []);
      });
    }
  }

  test('numbers move under traffic, and the auth cache’s rate is among them', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await visit('overview', 'Overview');
    const tile = (name: string): Promise<string> =>
      page.locator(`[data-tile=${name}] dd`).innerText({ timeout: 5_000 });
    await eventually('requests are shown', async () => {
      await send('guarded', 20);
      return Number.parseFloat(await tile('rate')) > 0 && (await tile('cache')).endsWith('%');
    });
    assert.match(await tile('median'), / ms$/);
    const label = await page.locator('[role=img]').first().getAttribute('aria-label');
    assert.match(label ?? '', /Requests of the last five minutes: [1-9]/);
    await shoot(page, 'overview-traffic');
  });

  test('a router that is off says why, in the list and on its walk', async () => {
    await visit('routers', 'Routers');
    await page.locator('select').first().waitFor();
    await page.getByLabel('Status').selectOption('disabled');
    await page.getByRole('link', { name: 'broken@file' }).click();
    await page.waitForFunction(() => document.querySelector('.step.missing') !== null);
    assert.match(
      await page.locator('.step.missing').innerText(),
      /nowhere@file[^]*no middleware of this name/,
    );
    assert.match(await page.locator('main').innerText(), /nowhere@file doesn't exist/);
    assert.match(await page.locator('.banners').innerText(), /in the configuration/);
    await visit('diagnostics', 'Configuration');
    assert.match(await page.locator('main').innerText(), /dynamic\.yml:\d+/);
  });

  test('the walk of nested services ends at their servers, and a server that is down is marked', async () => {
    await eventually('the dead server is found', async () => {
      await visit('routers/top%40file', 'top@file');
      return (await page.locator('.step.down').count()) === 1;
    });
    const steps = await page
      .locator('.step')
      .evaluateAll((all) => all.map((one) => one.getAttribute('data-step')));
    assert.deepEqual(steps, ['entry point', 'rule', 'service', 'service', 'service', 'server', 'server']);
    await visit('services/dead%40file', 'dead@file');
    assert.match(await page.getByRole('region', { name: 'Health history' }).innerText(), /down/);
  });

  test('errors are shown with code, blame and place', async () => {
    await visit('errors', 'Recent errors');
    await eventually('an error is shown', async () => {
      await send('refused', 2);
      return (await page.locator('tbody').innerText()).includes('upstream.connect_refused');
    });
    const row = await page.locator('tbody tr', { hasText: 'connect_refused' }).innerText();
    assert.match(row, /502[^]*the server[^]*refused@file/);
  });

  test('the box explains a request', async () => {
    await visit('explain', 'Explain');
    await page.getByLabel('URL', { exact: true }).fill(`http://127.0.0.1:${gateway.port('web')}/guarded`);
    await page.getByLabel('Headers, one a line').fill('X-Tenant: blue');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.locator('pre').waitFor();
    assert.match(await page.locator('pre').innerText(), /> guarded@file[^]*forwardAuth/);
    await page.getByLabel('URL', { exact: true }).fill('http://[::1');
    await page.getByRole('button', { name: 'Explain' }).click();
    await shoot(page, 'explain-answer');
  });

  test('a purge asks twice and says how many', async () => {
    await send('guarded', 3);
    await visit('cache', 'Auth cache');
    await page.getByLabel('Token, as the client sends it').fill('canary-token');
    await page.getByRole('button', { name: 'Forget…' }).click();
    await shoot(page, 'cache-sure');
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await page.locator('.said').innerText(), '');
    await page.getByRole('button', { name: 'Forget…' }).click();
    await page.getByRole('button', { name: 'Forget', exact: true }).click();
    await eventually('it was purged', async () =>
      /^[1-9]\d* decisions? forgotten$/.test(await page.locator('.said').innerText()),
    );
    assert.equal(await page.getByLabel('Token, as the client sends it').inputValue(), '');
  });

  test('a server is drained and taken back', async () => {
    await visit('services/app%40file', 'app@file');
    page.on('dialog', (dialog) => void dialog.accept());
    await page.getByRole('button', { name: 'Drain' }).click();
    await page.getByRole('button', { name: 'Take back' }).click();
    await page.getByRole('button', { name: 'Drain' }).waitFor();
  });

  test('the pages can be walked by keyboard alone', async () => {
    await visit('overview', 'Overview');
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to content');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
    await page.keyboard.press('Shift+Tab');
    for (const title of ['Routers', 'Services', 'Middlewares', 'Certificates', 'Recent errors', 'Explain']) {
      await tabTo(page, title);
      await page.keyboard.press('Enter');
      await page.waitForFunction((text) => document.querySelector('h1')?.textContent === text, title);
      // A reader of the screen is there, too.
      await page.waitForFunction(() => document.activeElement?.id === 'main');
    }
  });

  test('the theme is a choice that stays', async () => {
    await page.emulateMedia({ colorScheme: 'light' });
    await visit('overview', 'Overview');
    const ground = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByLabel('Theme').selectOption('dark');
    assert.notEqual(await ground(), light);
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.notEqual(await ground(), light);
    assert.deepEqual(await faintTexts(page), []);
    await page.getByLabel('Theme').selectOption('auto');
    assert.equal(await ground(), light);
  });

  test('nothing jumps while a page fills', async () => {
    for (const [place, title] of pages.filter(([, name]) => !name.includes('@'))) {
      await page.goto('about:blank');
      await page.goto(at(place));
      await page.waitForFunction((text) => document.querySelector('h1')?.textContent === text, title);
      const shift = await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            let sum = 0;
            new PerformanceObserver((list: any) => {
              for (const entry of list.getEntries()) sum += entry.value;
            }).observe({ type: 'layout-shift', buffered: true });
            setTimeout(() => resolve(sum), 1_200);
          }),
      );
      assert.ok(shift < 0.02, `${place}: ${shift}`);
    }
  });

  test('a router to its page and API is all another origin needs, behind any prefix', async () => {
    const base = `${gateway.url('web')}/ops`;
    const other = await (await browser.newContext()).newPage();
    const found = complaintsOf(other, gateway.url('web'));
    await other.goto(`${base}/dashboard/#/routers`);
    await other.getByRole('link', { name: 'broken@file' }).waitFor();
    assert.deepEqual(found, []);
    await other.context().close();
  });

  test('ten thousand routers stay quick', async () => {
    const routers = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [`r${i}`, { rule: `Host(\`h${i}.test\`)`, service: 'app' }]),
    );
    const { http } = dynamicFor(origin.url, auth.url);
    await gateway.writeDynamic({ http: { ...http, routers: { ...http.routers, ...routers } } });
    const began = performance.now();
    await visit('routers', 'Routers');
    await page.getByLabel('Search routers').fill('h9999.test');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
    const took = performance.now() - began;
    assert.ok(took < 5_000, `${took} ms`);
    await page.getByLabel('Search routers').fill('');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 50);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Page 2,').waitFor();
    await shoot(page, 'routers-many');
  });

  test('a gateway that is gone is said to be', async () => {
    await visit('overview', 'Overview');
    await gateway.stop();
    await page.getByText('no connection').waitFor({ timeout: 15_000 });
    await shoot(page, 'overview-gone');
  });
});

/** Presses Tab until the link of this name has the focus; at most 60 times. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement?.textContent)) === name) return;
  }
  assert.fail(`no way to ${name} by keyboard`);
}

/** One that is well and one that ends soon, as texts. */
function certificates(): { certFile: string; keyFile: string }[] {
  const authority = makeAuthority();
  try {
    return [
      authority.issue(['night.test', 'day.test'], { days: 90 }),
      authority.issue(['soon.test'], { days: 5 }),
    ].map(({ cert, key }) => ({ certFile: cert, keyFile: key }));
  } finally {
    authority.close();
  }
}

function dynamicFor(app: string, auth: string) {
  const balancer = (url: string, more: object = {}) => ({ loadBalancer: { servers: [{ url }], ...more } });
  const dead = 'http://127.0.0.1:9';
  return {
    http: {
      routers: {
        guarded: {
          rule: 'PathPrefix(`/guarded`)',
          service: 'app',
          middlewares: ['auth'],
          entryPoints: ['web'],
        },
        refused: { rule: 'PathPrefix(`/refused`)', service: 'refused', entryPoints: ['web'] },
        broken: {
          rule: 'Host(`broken.test`)',
          service: 'app',
          middlewares: ['nowhere'],
          entryPoints: ['web'],
        },
        top: { rule: 'PathPrefix(`/top`)', service: 'top', entryPoints: ['web'] },
        tls: { rule: 'Host(`night.test`)', service: 'app', entryPoints: ['safe'], tls: {} },
        ops: {
          rule: 'PathPrefix(`/ops/`)',
          service: 'api@internal',
          middlewares: ['cut'],
          entryPoints: ['web'],
        },
      },
      middlewares: {
        auth: { forwardAuth: { address: auth, authResponseHeaders: ['X-User-Id'], cache: { ttl: '1m' } } },
        cut: { stripPrefix: { prefixes: ['/ops'] } },
      },
      services: {
        app: balancer(app),
        refused: balancer(dead),
        dead: balancer(dead, { healthCheck: { path: '/', interval: '1s' } }),
        top: { failover: { service: 'dead', fallback: 'app' } },
      },
    },
    tls: { certificates: certificates() },
  };
}
