// Debian's chromium for tests, with an eye on everything a page may not do.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

// What runs in the page is typed by nobody here: the tests' own world has no DOM.
declare const document: any;
declare const getComputedStyle: (element: any) => any;
declare const NodeFilter: any;

/** Kept after the run, for people and for CI. */
const screenshots = fileURLToPath(new URL('../../.tmp/screenshots/', import.meta.url));

export const hasBrowser = !(process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',').includes('chromium');

export function startBrowser(): Promise<Browser> {
  // In a container there are no namespaces for the browser's own sandbox; it sees our own pages only.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  return chromium.launch({ executablePath: '/usr/bin/chromium', args });
}

/** What the page has complained of: errors, warnings, violated policies, requests to anyone but `origin`. */
export function complaintsOf(page: Page, origin: string): string[] {
  const found: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') found.push(message.text());
  });
  page.on('pageerror', (error) => found.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) found.push(`asked for ${request.url()}`);
  });
  return found;
}

export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
}

/** Texts whose contrast is below 4.5 (3 for large ones), as WCAG 2 computes it. */
export function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const channels = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (rgb: readonly number[]): number => {
      const [r = 0, g = 0, b = 0] = rgb.map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const groundOf = (from: any): number[] => {
      for (let element = from; element !== null; element = element.parentElement) {
        const [r = 0, g = 0, b = 0, alpha = 1] = channels(getComputedStyle(element).backgroundColor);
        if (alpha > 0.99) return [r, g, b];
      }
      return [255, 255, 255];
    };
    const faint: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      const text = node.textContent?.trim() ?? '';
      if (element === null || text === '' || !element.checkVisibility()) continue;
      // What cannot be used is not held to it.
      if (element.matches('option, noscript, :disabled')) continue;
      const style = getComputedStyle(element);
      const [light, dark] = [luminance(channels(style.color)), luminance(groundOf(element))].sort(
        (a, b) => b - a,
      ) as [number, number];
      const contrast = (light + 0.05) / (dark + 0.05);
      if (contrast < (Number.parseFloat(style.fontSize) >= 24 ? 3 : 4.5))
        faint.push(`${contrast.toFixed(2)} ${text.slice(0, 40)}`);
    }
    return faint;
  });
}

/** Whatever a reader of the screen could not name or find: the rules of axe that matter here, by hand. */
export function unreadable(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const wrong: string[] = [];
    const say = (element: any, what: string): void => {
      wrong.push(`${what}: ${element.outerHTML.slice(0, 100)}`);
    };
    if (document.documentElement.lang === '') wrong.push('the page has no language');
    if (document.title === '') wrong.push('the page has no title');
    for (const [selector, count] of [
      ['main', 1],
      ['h1', 1],
      ['header', 1],
    ] as const) {
      const found = document.querySelectorAll(selector).length;
      if (found !== count) wrong.push(`${found} of ${selector}`);
    }
    for (const control of document.querySelectorAll('input, select, textarea')) {
      const { labels } = control;
      if ((labels?.length ?? 0) === 0 && !control.hasAttribute('aria-label')) say(control, 'no label');
    }
    for (const element of document.querySelectorAll('a, button')) {
      if ((element.textContent ?? '').trim() === '' && !element.hasAttribute('aria-label'))
        say(element, 'no name');
    }
    for (const image of document.querySelectorAll('img'))
      if (!image.hasAttribute('alt')) say(image, 'no alt');
    for (const element of document.querySelectorAll('[role=img]'))
      if ((element.getAttribute('aria-label') ?? '') === '') say(element, 'no words for it');
    for (const nav of document.querySelectorAll('nav'))
      if (!nav.hasAttribute('aria-label')) say(nav, 'no label');
    for (const table of document.querySelectorAll('table'))
      if (table.caption === null) say(table, 'no caption');
    const ids = [...document.querySelectorAll('[id]')].map(({ id }: { id: string }) => id);
    if (new Set(ids).size !== ids.length) wrong.push('an id is there twice');
    for (const element of document.querySelectorAll('[tabindex]'))
      if (Number(element.getAttribute('tabindex')) > 0) say(element, 'an order of its own');
    let level = 0;
    for (const heading of document.querySelectorAll('h1, h2, h3')) {
      const next = Number(heading.tagName[1]);
      if (next > level + 1) say(heading, `level ${next} after ${level}`);
      level = next;
    }
    return wrong;
  });
}
