// Runs what a README shows: the commands of its console blocks in one shell, each answer held against the one shown.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Step {
  readonly command: string;
  /** The lines shown below it. `…` stands for anything within a line, and as a line for any number of lines. */
  readonly shown: readonly string[];
}

export interface Readme {
  /** The first `sh` block: how it is started. */
  readonly start: string;
  readonly steps: readonly Step[];
}

export interface StepResult {
  readonly step: Step;
  readonly output: string;
  readonly matches: boolean;
}

const mark = '\u001e';

export function readReadme(file: string): Readme {
  const blocks = [...readFileSync(file, 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  const start = blocks.find(([, language]) => language === 'sh')?.[2]?.trim() ?? '';
  const steps: { command: string; shown: string[] }[] = [];
  for (const [, language, text = ''] of blocks) {
    if (language !== 'console') continue;
    for (const line of text.trimEnd().split('\n')) {
      if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: [] });
      else steps.at(-1)?.shown.push(line);
    }
  }
  return { start, steps };
}

/** In order, so that what one sets the next one has. `before` is put before `bash`: a namespace. */
export async function runSteps(
  steps: readonly Step[],
  options: { readonly cwd: string; readonly before?: readonly string[] },
): Promise<readonly StepResult[]> {
  const script = steps.map(({ command }) => `${command}\nprintf '${mark}'\n`).join('');
  const [program = '', ...args]: readonly string[] = [...(options.before ?? []), 'bash', '-c', script];
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...env, NO_COLOR: '1' },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  // The whole group: what a command has started may hold the pipe open.
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 60_000);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  const parts = output.split(mark);
  return steps.map((step, at) => {
    const text = parts[at] ?? '(never run)';
    return { step, output: text, matches: patternOf(step.shown).test(text.trimEnd()) };
  });
}

/** What was not answered as shown, for whoever reads the failure; empty when all was. */
export function difference(results: readonly StepResult[]): string {
  return results
    .filter(({ matches }) => !matches)
    .map(({ step, output }) => `$ ${step.command}\nshown:\n${step.shown.join('\n')}\nanswered:\n${output}`)
    .join('\n\n');
}

function patternOf(shown: readonly string[]): RegExp {
  const lines = shown.map((line) =>
    line.trim() === '…'
      ? '[^]*?'
      : `${line
          .trimEnd()
          .split('…')
          .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
          .join('[^\\n]*')}[ \\t]*\\n?`,
  );
  return new RegExp(`^${lines.join('')}$`);
}
