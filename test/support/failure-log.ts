// What the log says of requests that a server has failed.

import assert from 'node:assert/strict';
import { eventually, type TestGateway } from './gateway.ts';

/** One short line about this router of the file, once it is there: it has a code and blames the server. */
export async function assertOneFailure(gateway: TestGateway, router: string): Promise<void> {
  const lines = (): string[] =>
    gateway
      .logs()
      .split('\n')
      .filter((line) => line.includes(`"routerName":"${router}@file"`) && line.includes('Request failed'));
  await eventually('the log line', () => lines().length > 0);
  const [line = '', ...others] = lines();
  assert.equal(others.length, 0);
  assert.ok(line.length < 1_024, `${line.length} characters`);
  assert.match(line, /"code":"upstream\.[a-z_]+","blame":"server"/);
}
