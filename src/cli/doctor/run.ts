// Runs `doctor`: loads the configuration, lets every probe look, prints what they say.

import type { CommandContext } from '../command.ts';
import { takeSwitch } from '../command.ts';

/** Resolves to the exit code: 0 all is well, 1 warnings, 2 errors. */
export async function runDoctor(context: CommandContext): Promise<number> {
  const json = takeSwitch(context.argv, '--json');
  const { examineAll } = await import('./examine.ts');
  const { asJson, asText } = await import('./print.ts');
  const examined = await examineAll({ ...context, argv: json.rest });
  context.out(json.isSet ? asJson(examined) : asText(examined, context.color));
  const has = (level: string): boolean =>
    examined.some(({ findings }) => findings.some((finding) => finding.level === level));
  return has('error') ? 2 : has('warning') ? 1 : 0;
}
