// errors: puts a page of another service in place of answers with the listed statuses.

import { z } from 'zod';
import type { Exchange } from '../exchange.ts';
import { deleteHeader, type HeaderList } from '../headers.ts';
import { ANSWERED, type AnswerVerdict, CONTINUE } from '../hooks.ts';
import { askBeside, type SideAnswer } from '../side-exchange.ts';
import { statusText } from '../status.ts';
import { defineMiddleware } from './define.ts';
import { int, list, object, text } from './fields.ts';
import { escapeQuery } from './path-text.ts';
import { inRanges, parseStatusRange, type StatusRanges, statusRanges } from './status-ranges.ts';

/** Bytes of a page; a longer one is replaced by the status text. */
const maxPageBytes: number = 4 * 1024 * 1024;

interface Rewrite {
  readonly ranges: StatusRanges;
  readonly to: number;
}

const schema = object({
  status: statusRanges.default([]),
  statusRewrites: z
    .record(
      z.string().refine((range) => parseStatusRange(range) !== null, 'expected a key such as 404 or 500-599'),
      int.refine((status) => status >= 200 && status <= 599, 'expected a status code from 200 to 599'),
    )
    .optional(),
  service: text,
  query: text.default(''),
  errorRequestHeaders: list.optional(),
});

export const errors = defineMiddleware({
  kind: 'errors',
  summary: 'Puts a page of another service in place of answers with the listed statuses.',
  schema,
  services: (options) => [options.service],
  build(options, deps) {
    const service = deps.service(options.service);
    const rewrites = Object.entries(options.statusRewrites ?? {}).map(readRewrite);
    const wanted = options.errorRequestHeaders?.map((name) => name.toLowerCase()) ?? null;

    const replace = async (x: Exchange, status: number): Promise<AnswerVerdict> => {
      const shown = rewrites.find(({ ranges }) => inRanges(ranges, status))?.to ?? status;
      const [path, search] = target(options.query, x, shown, status);
      const headers = requestHeaders(x.headers, wanted);
      const request = { method: 'GET', path, search, authority: x.authority, headers, body: null };
      const call = askBeside(x, service, request, maxPageBytes);
      x.running = call;
      return showPage(x, shown, await call.answer);
    };
    return {
      response(x) {
        // A tunnel that stands has no answer to replace.
        if (!inRanges(options.status, x.status) || x.status === 101) return CONTINUE;
        return replace(x, x.status);
      },
    };
  },
});

function readRewrite([range, to]: [string, number]): Rewrite {
  return { ranges: [parseStatusRange(range) as readonly [number, number]], to };
}

/** Path and query of the page. Placeholders stand for text of the client, so they are escaped. */
function target(
  template: string,
  x: Exchange,
  shown: number,
  original: number,
): [path: string, search: string] {
  const url = `${x.scheme}://${x.authority}${x.path}${x.search}`;
  const filled = template
    .replaceAll('{status}', String(shown))
    .replaceAll('{originalStatus}', String(original))
    .replaceAll('{url}', () => escapeQuery(url));
  const path = filled.startsWith('/') ? filled : `/${filled}`;
  const mark = path.indexOf('?');
  return mark === -1 ? [path, ''] : [path.slice(0, mark), path.slice(mark)];
}

/** What describes a body stays behind: the page is asked for without one. */
function requestHeaders(from: readonly string[], wanted: readonly string[] | null): HeaderList {
  const headers: HeaderList = [];
  for (let i = 0; i < from.length; i += 2) {
    const name = from[i] as string;
    if (name.startsWith('content-') || name === 'expect' || name.startsWith('if-') || name === 'range')
      continue;
    if (wanted === null || wanted.includes(name)) headers.push(name, from[i + 1] as string);
  }
  return headers;
}

function showPage(x: Exchange, status: number, page: SideAnswer | null): AnswerVerdict {
  if (page === null || page.status >= 500) return x.answer(status, [], statusText(status));
  deleteHeader(page.headers, 'content-length');
  x.answer(status, page.headers, page.body);
  return ANSWERED;
}
