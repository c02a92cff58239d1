// The dashboard's files: read once, packed once, answered from memory.

import type { ApiAnswer } from '../../model/ipc.ts';
import { type DashboardFile, dashboardFiles } from './dashboard-files.ts';
import type { ApiFacts } from './facts.ts';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const safety = [
  'Content-Security-Policy',
  policy,
  'X-Content-Type-Options',
  'nosniff',
  'Referrer-Policy',
  'no-referrer',
  'Cross-Origin-Opener-Policy',
  'same-origin',
  'Cross-Origin-Resource-Policy',
  'same-origin',
];

/** `file` is a path below the dashboard, empty for its page. Null: there is none of that name. */
export async function dashboard(
  file: string,
  facts: ApiFacts,
  acceptEncoding: string,
): Promise<ApiAnswer | null> {
  const files = await dashboardFiles();
  if (files === null) return file === '' ? notBuilt(facts) : null;
  if (file === '' || file === 'index.html') {
    const page = files.get('index.html');
    return page === undefined ? notBuilt(facts) : pageAnswer(page, facts);
  }
  const found = files.get(file);
  return found === undefined ? null : fileAnswer(found, acceptEncoding);
}

/** Never kept, so that it names the files of the release that runs. */
function pageAnswer({ type, content }: DashboardFile, facts: ApiFacts): ApiAnswer {
  const body = content
    .toString('utf8')
    .replace(/<title>[^<]*<\/title>/, () => `<title>${titleOf(facts)}</title>`);
  return { status: 200, headers: ['Content-Type', type, ...safety, 'Cache-Control', 'no-store'], body };
}

/** The name has a hash of the content in it. */
function fileAnswer(file: DashboardFile, acceptEncoding: string): ApiAnswer {
  const { type, content, br, gzip } = file;
  const [coding, bytes] =
    accepts(acceptEncoding, 'br') && br !== null
      ? ['br', br]
      : accepts(acceptEncoding, 'gzip') && gzip !== null
        ? ['gzip', gzip]
        : ['', content];
  return {
    status: 200,
    headers: [
      'Content-Type',
      type,
      ...safety,
      'Cache-Control',
      'public, max-age=31536000, immutable',
      'Vary',
      'Accept-Encoding',
      ...(coding === '' ? [] : ['Content-Encoding', coding]),
    ],
    body: bytes.toString('base64'),
    encoding: 'base64',
  };
}

function accepts(header: string, coding: string): boolean {
  return header.split(',').some((part) => {
    const [name = '', ...parameters] = part
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    return name === coding && !parameters.some((one) => /^q=0(\.0*)?$/.test(one));
  });
}

function notBuilt(facts: ApiFacts): ApiAnswer {
  const body =
    `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>${titleOf(facts)}</title>\n` +
    '<p>The dashboard has not been built: run <code>npm run build:dashboard</code>. The API is at ' +
    '<a href="../api/overview">api/overview</a>.</p></html>\n';
  const headers = ['Content-Type', 'text/html; charset=utf-8', ...safety, 'Cache-Control', 'no-store'];
  return { status: 503, headers, body };
}

function titleOf({ dashboardName }: ApiFacts): string {
  const title = dashboardName === '' ? 'Portcullis' : `${dashboardName.slice(0, 200)} · Portcullis`;
  return title.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
