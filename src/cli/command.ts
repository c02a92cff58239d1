// What every command is: a name, its help, and a function from arguments to an exit code.

export interface CommandContext {
  /** What follows the command's name. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Colours are wanted: what is written goes to a terminal and NO_COLOR is not set. */
  readonly color: boolean;
  out(text: string): void;
  err(text: string): void;
}

export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** One line per form, without the program's name. */
  readonly usage: readonly string[];
  readonly options?: readonly (readonly [string, string])[];
  /** Resolves to the exit code: 0 well, 1 not, 2 called wrongly. */
  run(context: CommandContext): Promise<number>;
}

/** Takes `--name value` and `--name=value` out of the arguments; without a value it is empty. The rest stays in order. */
export function takeOption(
  argv: readonly string[],
  names: readonly string[],
): { values: string[]; rest: string[] } {
  const values: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] as string;
    const [name = '', ...inline] = argument.split('=');
    if (!names.includes(name)) rest.push(argument);
    else if (inline.length > 0) values.push(inline.join('='));
    else values.push(argv[(index += 1)] ?? '');
  }
  return { values, rest };
}

/** Takes a switch out of the arguments. */
export function takeSwitch(argv: readonly string[], name: string): { isSet: boolean; rest: string[] } {
  return { isSet: argv.includes(name), rest: argv.filter((argument) => argument !== name) };
}
