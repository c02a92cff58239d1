// Where requests leave that came in while the shared state was away.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Standing } from '../../../src/state/standing.ts';

test('each leaves where one of its key came in, and nothing is kept of those that left', () => {
  const standing = new Standing();
  assert.equal(standing.leave('s', 'a'), null);
  standing.enter('near', 's', 'a');
  standing.enter('nowhere', 's', 'a');
  standing.enter('near', 's', 'b');
  assert.equal(standing.leave('other', 'a'), null);
  assert.equal(standing.leave('s', 'a'), 'near');
  assert.equal(standing.leave('s', 'a'), 'nowhere');
  assert.equal(standing.leave('s', 'a'), null);
  assert.equal(standing.leave('s', 'b'), 'near');
  assert.equal(standing.size, 0);
});
