// The way to the API: beside the page, below whatever prefix both have.

export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Number of the next page; null for none. */
  readonly next: number | null;
}

/** Throws `ApiError` with a sentence for people. `path` begins behind `/api/`. */
export async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await ask(path, signal === undefined ? {} : { signal })).json()) as T;
}

export async function readPage<T>(path: string, signal?: AbortSignal): Promise<Page<T>> {
  const response = await ask(path, signal === undefined ? {} : { signal });
  const next = Number(response.headers.get('x-next-page') ?? 1);
  return { items: (await response.json()) as T[], next: next > 1 ? next : null };
}

export async function send<T>(path: string, body: unknown): Promise<T> {
  const response = await ask(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Portcullis-Dashboard': '1' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
}

async function ask(path: string, options: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`../api/${path}`, { cache: 'no-store', ...options });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'the gateway does not answer');
  }
  if (response.ok) return response;
  throw new ApiError(response.status, await sentenceOf(response));
}

async function sentenceOf(response: Response): Promise<string> {
  if (response.status === 401) return 'not signed in any more: reload the page';
  if (response.status === 403)
    return 'refused. On an open entry point the dashboard may change things only under an IP address or localhost';
  const text = await response.text().catch(() => '');
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message.slice(0, 500);
  } catch {
    // No JSON: the status says it.
  }
  return `the API answered ${response.status}`;
}
