// Status lines and the bodies of answers made inside the gateway, exactly as Traefik words them.

// An import would read every export there is, and with them load a whole HTTP client: 3 MB in each worker.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

// Phrases that differ from Node's table.
const phrases: Readonly<Record<number, string>> = {
  413: 'Request Entity Too Large',
  418: "I'm a teapot",
  499: 'Client Closed Request',
};

const lines: string[] = [];
for (let status = 100; status < 1000; status++) {
  const phrase = statusText(status);
  lines[status] = phrase === '' ? `${status}` : `${status} ${phrase}`;
}

/** `404 Not Found`. */
export function statusLine(status: number): string {
  return lines[status] as string;
}

/** Reason phrase; empty for a status without one. */
export function statusText(status: number): string {
  return phrases[status] ?? STATUS_CODES[status] ?? '';
}
