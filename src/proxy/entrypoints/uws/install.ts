// Runs after `npm install`, in the checkout as in the package: prepares the uWebSockets.js addon for an older glibc.
// Never fails the install.

import { planAddon, writePatchedAddon } from './addon.ts';

const plan = planAddon();
if (plan.form === 'patched') {
  try {
    writePatchedAddon(plan);
    console.log(`portcullis: prepared ${plan.build.file} for this system's glibc`);
  } catch (error) {
    notPrepared((error as Error).message);
  }
} else if (plan.form === 'none') {
  notPrepared(plan.reason);
}

/** Which may be another Node's fault, or that of a folder it cannot write: the gateway's own start decides. */
function notPrepared(reason: string): void {
  console.warn(`portcullis: uWebSockets.js is not prepared: ${reason} (tried again when the gateway starts)`);
}
