// One question to the API of a running gateway, bounded in time and size.

import http from 'node:http';

export interface Asking {
  /** Of the API, with its base path; no slash at its end. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The gateway answered, but not with what was asked for. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`it answered ${status}`);
    this.status = status;
  }
}

/** Milliseconds for one answer; a question for news is held for one second by the gateway. */
const deadline = 5_000;
/** Bytes of one answer. */
const maxAnswer = 8 * 1024 * 1024;

/** `path` begins with `/api/`. Rejects with `Refused`, or with an `Error` whose message is a sentence. */
export async function ask(asking: Asking, path: string): Promise<unknown> {
  const url = new URL(asking.endpoint + path);
  const { get } = url.protocol === 'https:' ? await import('node:https') : http;
  const { signal } = asking;
  return new Promise((resolve, reject) => {
    const options = { agent: false, headers: asking.headers, ...(signal === undefined ? {} : { signal }) };
    const request = get(url, options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > maxAnswer) request.destroy(new Error('its answer is too large'));
      });
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(timer);
        const status = response.statusCode ?? 0;
        if (status !== 200) reject(new Refused(status));
        else settle(body, resolve, reject);
      });
    });
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer within ${deadline / 1000} s`)),
      deadline,
    );
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

function settle(body: string, resolve: (value: unknown) => void, reject: (error: Error) => void): void {
  try {
    resolve(JSON.parse(body));
  } catch {
    reject(new Error('what answers there is no API of this gateway'));
  }
}
