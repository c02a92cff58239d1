// Which engine a run of the suites is about: `TEST_ENGINE=node npm test -- integration/framing`.

/** For a test of what the fast engine does in a way of its own; `why` says what the other one does. */
export function onlyUws(why: string): { readonly skip: false | string } {
  return { skip: isNodeEngine ? `node engine: ${why}` : false };
}

export const isNodeEngine: boolean = process.env['TEST_ENGINE'] === 'node';
