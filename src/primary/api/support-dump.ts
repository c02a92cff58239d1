// /api/support-dump: version, static configuration and all objects in one archive to attach to a question.

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ApiAnswer } from '../../model/ipc.ts';
import { maxApiAnswerBytes } from '../limits.ts';
import { failure, jsonOf } from './answers.ts';
import type { ApiFacts, ApiSources } from './facts.ts';
import { rawData } from './summary.ts';
import { tar, type TarFile } from './tar.ts';

const headers = [
  'Content-Type',
  'application/gzip',
  'Content-Disposition',
  'attachment; filename=support-dump.tar.gz',
];

/** Redacted as everything the API shows. */
export async function supportDump(facts: ApiFacts, sources: ApiSources): Promise<ApiAnswer> {
  const raw = await rawData(sources);
  if (raw.length > maxApiAnswerBytes) return failure(500, 'the dump is too large');
  const { version, startDate } = facts;
  const files = [
    file('version.json', jsonOf({ version, codename: 'portcullis', startDate })),
    file('static-config.json', jsonOf(facts.staticConfig)),
    file('runtime-config.json', raw),
    file('diagnostics.json', jsonOf(sources.diagnostics())),
  ];
  const packed = await promisify(gzip)(tar(files, Date.now() / 1000));
  return { status: 200, headers, body: packed.toString('base64'), encoding: 'base64' };
}

function file(name: string, text: string): TarFile {
  return { name, content: Buffer.from(`${text}\n`) };
}
