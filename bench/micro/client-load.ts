// What the benches of the clients send, and how many at a time.

/** Requests under way at a time. */
export const atOnce = 64;

// What a browser sends through a gateway, about 600 bytes.
export const headers: string[] = Object.entries({
  host: 'app.example.com',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language': 'en,de;q=0.5',
  'accept-encoding': 'gzip, deflate, br, zstd',
  cookie: `session=${'a1b2c3d4'.repeat(12)}`,
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'none',
  'x-forwarded-for': '192.0.2.7',
  'x-forwarded-host': 'app.example.com',
  'x-forwarded-proto': 'https',
}).flat();

/** Keeps `atOnce` requests under way for `ms`; how many were answered. `send` calls what it gets once, at the end. */
export function drive(send: (done: () => void) => void, ms: number): Promise<number> {
  return new Promise((resolve) => {
    const deadline = performance.now() + ms;
    let count = 0;
    let running = atOnce;
    const done = (): void => {
      count++;
      if (performance.now() < deadline) send(done);
      else if (--running === 0) resolve(count);
    };
    for (let i = 0; i < atOnce; i++) send(done);
  });
}

export function fail(error: Error): never {
  throw error;
}
