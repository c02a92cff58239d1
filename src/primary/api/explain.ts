// GET /api/portcullis/explain?method=GET&url=https://…&header=Name: value&entryPoint=…&peer=…: which router answers,
// and why the others do not, in the words of `portcullis explain`.

import type { ApiAnswer } from '../../model/ipc.ts';
import { byName, type Facts, type Shown } from '../explain/facts.ts';
import { chooseEntryPoint, readAsked, subjectOf } from '../explain/subject.ts';
import { telling } from '../explain/tell.ts';
import { failure, json } from './answers.ts';
import { certificateFacts, tlsCertificateView } from './certificate-view.ts';
import { entryPointView } from './entry-point-view.ts';
import type { ApiFacts, ApiSources } from './facts.ts';
import { mapInSlices, runInSlices } from './slices.ts';
import { type Kind, viewsOfKind } from './views.ts';

/** Characters of a URL and of one header; headers of one question. */
const maxText = 8_192;
const maxHeaders = 50;
/** Lines of one answer: with thousands of routers the first ones say enough. */
const maxLines = 600;

export async function explain(
  query: URLSearchParams,
  facts: ApiFacts,
  sources: ApiSources,
): Promise<ApiAnswer> {
  const headers = query.getAll('header').filter((line) => line.trim() !== '');
  const url = query.get('url') ?? '';
  if (headers.length > maxHeaders || [url, ...headers].some((text) => text.length > maxText))
    return failure(400, 'the question is too long');
  const asked = readAsked({
    method: query.get('method') ?? 'GET',
    url,
    headers,
    entryPoint: query.get('entryPoint') || undefined,
    peer: query.get('peer') || undefined,
  });
  if (typeof asked === 'string') return failure(400, asked);
  const all = await gather(facts, sources);
  const entryPoint = chooseEntryPoint(all.entryPoints, asked);
  if (entryPoint === undefined) return failure(400, 'there is no such entry point');
  const subject = subjectOf(asked, entryPoint);
  if (typeof subject === 'string') return json({ text: `${subject}\n`, isServed: false, router: null });
  const isTls = asked.url.protocol === 'https:';
  const told = await runInSlices(telling({ facts: all, entryPoint, subject, isTls }));
  return json({ ...told, text: shortened(told.text) });
}

async function gather(facts: ApiFacts, sources: ApiSources): Promise<Facts> {
  const snapshot = sources.snapshot();
  const of = async (kind: Kind): Promise<Shown[]> =>
    mapInSlices(await viewsOfKind(kind, snapshot, sources.serverStates), plain);
  return {
    entryPoints: facts.entryPoints.map((point) => plain(entryPointView(point, snapshot.tls.listeners))),
    routers: await of('routers'),
    middlewares: byName(await of('middlewares')),
    services: byName(await of('services')),
    certificates: certificateFacts(snapshot, sources.obtained?.()).map((one) =>
      plain(tlsCertificateView(one)),
    ),
    isRunning: true,
  };
}

function plain(item: object): Shown {
  return JSON.parse(JSON.stringify(item)) as Shown;
}

/** Beginning and end: the winner stands at the end. */
function shortened(text: string): string {
  const lines = text.split('\n');
  if (lines.length <= maxLines) return text;
  const half = maxLines / 2;
  const left = lines.length - maxLines;
  return [...lines.slice(0, half), `  … ${left} lines are left out …`, ...lines.slice(-half)].join('\n');
}
