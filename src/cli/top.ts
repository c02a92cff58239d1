// `portcullis top`: what a running gateway does, second by second, in a terminal.

import type { Command } from './command.ts';

export const top: Command = {
  name: 'top',
  summary: 'Watch a running gateway: traffic, latency, errors, workers, servers, each second',
  usage: ['top [--once] [--json] [--endpoint http://127.0.0.1:8080] [-H NAME:VALUE]', 'top [flags]'],
  options: [
    ['--endpoint URL', 'Where the API answers, with its base path; user and password may be in it'],
    ['flags', 'Those of the gateway, instead: the API is looked for in them; else on 127.0.0.1:8080'],
    ["-H, --header 'NAME: VALUE'", 'For an API behind authentication; may be repeated'],
    ['--once', 'Print what is so far and end'],
    ['--json', 'For programs: one JSON object a line, each second'],
    ['keys', 'q quits, ↑ and ↓ go through the errors, p holds the picture'],
  ],
  // Started with every gateway: what only this command needs is loaded when it is called.
  run: async (context) => (await import('./top/run.ts')).runTop(context),
};
