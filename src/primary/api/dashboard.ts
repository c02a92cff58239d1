// A page for browsers, made here and plain: counts, entry points, routers with their status. No script.

import { createHash } from 'node:crypto';
import type { ApiAnswer } from '../../model/ipc.ts';
import type { RouterSpec, Snapshot } from '../../model/snapshot.ts';
import type { ApiFacts } from './facts.ts';
import { statusOf } from './list.ts';
import { overview } from './summary.ts';

const rowsPerPage = 100;
/** Characters of a rule, a name or an error on the page. */
const maxText = 400;

const style =
  'body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}' +
  'table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #8884;padding:.3rem .5rem;text-align:left;vertical-align:top}' +
  'code{overflow-wrap:anywhere}.disabled{color:#c00;font-weight:bold}.warning{color:#a60;font-weight:bold}';

const headers = [
  'Content-Type',
  'text/html; charset=utf-8',
  'Content-Security-Policy',
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'X-Content-Type-Options',
  'nosniff',
  'Referrer-Policy',
  'no-referrer',
  'Cache-Control',
  'no-store',
];

/** Its links are relative: it must be asked for at an address that ends with a slash, beside `api/`. */
export function dashboard(snapshot: Snapshot, facts: ApiFacts, query: URLSearchParams): ApiAnswer {
  const pages = Math.max(1, Math.ceil(snapshot.routers.length / rowsPerPage));
  const asked = Number(query.get('page') ?? 1);
  const page = Number.isInteger(asked) && asked >= 1 && asked <= pages ? asked : 1;
  const title = facts.dashboardName === '' ? 'Portcullis' : `${facts.dashboardName} · Portcullis`;
  const body = [
    `<h1>${escape(title)}</h1>`,
    `<p>Version ${escape(facts.version)}. A plain page: everything else is in the API.</p>`,
    links(facts),
    counts(snapshot, facts),
    entryPoints(facts),
    routers(snapshot.routers.slice((page - 1) * rowsPerPage, page * rowsPerPage)),
    pageLinks(page, pages),
  ].join('\n');
  const head = `<meta charset="utf-8"><title>${escape(title)}</title><style>${style}</style>`;
  return { status: 200, headers, body: `<!doctype html>\n<html lang="en">${head}\n${body}\n</html>\n` };
}

const apiLinks = [
  'overview',
  'entrypoints',
  'http/routers',
  'http/services',
  'http/middlewares',
  'diagnostics',
  'rawdata',
  'support-dump',
  'version',
];

function links({ debug }: ApiFacts): string {
  const paths = apiLinks.map((path) => `api/${path}`);
  const all = debug ? [...paths, 'debug/vars'] : paths;
  return `<p>${all.map((path) => `<a href="../${path}">${path}</a>`).join(' · ')}</p>`;
}

function counts(snapshot: Snapshot, facts: ApiFacts): string {
  const { http } = overview(snapshot, facts) as {
    readonly http: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
  const rows = Object.entries(http).map(([kind, { total, warnings, errors }]) =>
    row([kind, total, warnings, errors].map(String)),
  );
  return table(['', 'total', 'warnings', 'errors'], rows);
}

function entryPoints(facts: ApiFacts): string {
  const rows = facts.entryPoints.map(({ name, host, port }) => row([name, `${host}:${port}`]));
  return `<h2>Entry points</h2>\n${table(['name', 'address'], rows)}`;
}

function routers(all: readonly RouterSpec[]): string {
  const rows = all.map((router) => {
    const status = statusOf(router.errors, router.warnings);
    const why = [...router.errors, ...router.warnings].map(escape).join('<br>');
    const link = `<a href="../api/http/routers/${escape(encodeURIComponent(router.name))}">${escape(router.name)}</a>`;
    const cells = [
      `<span class="${status}">${status}</span>`,
      link,
      `<code>${escape(router.rule)}</code>`,
      escape(router.entryPoints.join(', ')),
      escape(router.service),
      why,
    ];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return `<h2>Routers</h2>\n${table(['status', 'name', 'rule', 'entry points', 'service', 'why'], rows)}`;
}

function pageLinks(page: number, pages: number): string {
  const link = (to: number, word: string): string =>
    to >= 1 && to <= pages ? ` <a href="?page=${to}">${word}</a>` : '';
  return `<p>Page ${page} of ${pages}.${link(page - 1, 'previous')}${link(page + 1, 'next')}</p>`;
}

function table(heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map((text) => `<th>${text}</th>`).join('');
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`;
}

function escape(text: string): string {
  const short = text.length > maxText ? `${text.slice(0, maxText)}…` : text;
  return short.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
