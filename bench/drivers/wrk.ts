// wrk, steered by a script that cycles through the requests and prints what it measured.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../processes.ts';
import type { HttpDriver, HttpRequest, HttpRound } from './http.ts';

const marker = 'measured ';

export const wrk: HttpDriver = async (round) => {
  const script = join(round.folder, 'wrk.lua');
  writeFileSync(script, scriptOf(round));
  const url = `${round.isHttps ? 'https' : 'http'}://127.0.0.1:${round.port}${round.requests[0]?.path ?? '/'}`;
  const args = ['-t1', `-c${round.connections}`, `-d${Math.ceil(round.seconds)}s`, '-s', script, url];
  const output = await runProgram({ command: 'wrk', args });
  const line = output.split('\n').find((one) => one.startsWith(marker));
  if (line === undefined) throw new Error(`wrk measured nothing: ${output.slice(0, 500)}`);
  const [requests, micros, errors, p50, p99, p999] = line.slice(marker.length).split(' ').map(Number);
  return {
    driver: 'wrk',
    requests: requests ?? 0,
    seconds: (micros ?? 0) / 1_000_000,
    errors: errors ?? 0,
    p50: (p50 ?? 0) / 1_000,
    p99: (p99 ?? 0) / 1_000,
    p999: (p999 ?? 0) / 1_000,
  };
};

function scriptOf(round: HttpRound): string {
  const close = round.newConnections ? { Connection: 'close' } : {};
  const requests = round.requests.map((one) => `  ${formatCall(one, close)},`).join('\n');
  return `local requests, at, count = {}, 0, ${round.requests.length}
init = function(args) requests = {
${requests}
} end
request = function() at = at % count + 1; return requests[at] end
done = function(summary, latency)
  local e = summary.errors
  print(string.format("${marker}%d %d %d %d %d %d", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
`;
}

function formatCall(one: HttpRequest, more: Readonly<Record<string, string>>): string {
  // Strings of printable ASCII are written alike in JSON and in Lua.
  const headers = Object.entries({ ...one.headers, ...more })
    .map(([name, value]) => `[${JSON.stringify(name)}]=${JSON.stringify(value)}`)
    .join(', ');
  const body = one.bytes === undefined ? 'nil' : `string.rep("x", ${one.bytes})`;
  return `wrk.format(${JSON.stringify(one.method ?? 'GET')}, ${JSON.stringify(one.path)}, {${headers}}, ${body})`;
}
