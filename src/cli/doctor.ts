// `portcullis doctor`: what on this machine is in the gateway's way, each with what to do about it.

import type { Command } from './command.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'Look at what a gateway needs of its machine: ports, limits, Docker, Redis, certificates, disks',
  usage: ['doctor [--json] [flags]', 'doctor [--json] FILE [flags]'],
  options: [
    ['FILE', 'The static file'],
    ['--json', 'For programs'],
    ['exit code', '0 all is well, 1 there are warnings, 2 there are errors'],
  ],
  // Started with every gateway: what only this command needs is loaded when it is called.
  run: async (context) => (await import('./doctor/run.ts')).runDoctor(context),
};
