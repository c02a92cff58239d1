// Runs after `npm install`: prepares the uWebSockets.js addon for an older glibc. Never fails the install.

import { planAddon, writePatchedAddon } from './addon.ts';

const plan = planAddon();
if (plan.form === 'patched') {
  try {
    writePatchedAddon(plan);
    console.log(`portcullis: prepared ${plan.build.file} for this system's glibc`);
  } catch (error) {
    console.warn(`portcullis: the gateway will not start here: ${(error as Error).message}`);
  }
} else if (plan.form === 'none') {
  console.warn(`portcullis: the gateway will not start here: ${plan.reason}`);
}
