// `npm run demo`: the platform in miniature behind the gateway, until Ctrl-C. Arguments go to the gateway.

import { briefGuideOf, guideOf, usage } from './guide.ts';
import { type Demo, startDemo } from './start.ts';

const flags = process.argv.slice(2);
if (flags.includes('--help')) {
  process.stdout.write(usage);
  process.exit(0);
}
const wanted = { web: portFrom('DEMO_PORT', 8090), api: portFrom('DEMO_API_PORT', 8091) };

let demo: Demo | null = null;
let stopping = false;
// From the first moment on: the gateway is in a group of its own, and Ctrl-C would leave it behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
// What started it (`npm run dev`), and whoever read it, may be gone first.
process.on('disconnect', stop);
process.stdout.on('error', () => process.exit(1));

demo = await startDemo({ ports: wanted, verbose: true, flags }).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
const hasColors = process.stdout.isTTY && process.stdout.hasColors();
const guide = { ...demo, remarks: remarksOn(demo), hasColors };
// `npm run dev` has shown the whole of it before.
console.log(process.env['DEMO_GUIDE'] === 'brief' ? briefGuideOf(guide) : guideOf(guide));
const code = await demo.gateway.exited;
if (!stopping) {
  console.error(`the gateway exited with ${code}`);
  await demo.stop();
  process.exit(1);
}

/** A second signal ends at once. */
function stop(): void {
  if (stopping || demo === null) process.exit(1);
  stopping = true;
  console.log('\nstopping…');
  void demo.stop().then(() => {
    console.log('everything is stopped');
    process.exit(0);
  });
}

function portFrom(name: string, fallback: number): number {
  const text = process.env[name] ?? String(fallback);
  const port = Number(text);
  if (text.trim() !== '' && Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  console.error(`${name}=${text}: expected a port number, 0 for any that is free`);
  process.exit(2);
}

function remarksOn(running: Demo): readonly string[] {
  return [
    ...moved('DEMO_PORT', wanted.web, running.gatewayUrl),
    ...moved('DEMO_API_PORT', wanted.api, running.apiUrl),
  ];
}

function moved(name: string, port: number, url: string): readonly string[] {
  if (port === 0 || url.endsWith(`:${port}`)) return [];
  return [
    `Port ${port} is taken: it is ${url} instead. To choose: ${name}=${port < 60_000 ? port + 1000 : port - 1000} npm run demo`,
  ];
}
