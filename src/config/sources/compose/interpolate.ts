// Compose's own variables in a text: `$NAME`, `${NAME:-default}` and its kin, `$$` for a dollar sign.

/** What was noticed on the way; the text is usable all the same unless `isFatal`. */
export interface InterpolationProblem {
  readonly code: 'config.unset_variable' | 'config.required_variable' | 'config.interpolation';
  readonly message: string;
  readonly hint?: string;
  readonly isFatal: boolean;
}

export interface Interpolated {
  readonly text: string;
  readonly problems: readonly InterpolationProblem[];
}

/** Levels of defaults within defaults. */
const maxDepth = 16;
/** UTF-16 units; a variable used many times must not unfold without bound. */
const maxLength = 1_000_000;

/** Never throws. `lookUp` gives undefined for a variable that is not set. */
export function interpolate(written: string, lookUp: (name: string) => string | undefined): Interpolated {
  const pass: Pass = { lookUp, problems: [] };
  return { text: written.includes('$') ? unfold(pass, written, 0) : written, problems: pass.problems };
}

interface Pass {
  readonly lookUp: (name: string) => string | undefined;
  readonly problems: InterpolationProblem[];
}

function unfold(pass: Pass, text: string, depth: number): string {
  let result = '';
  let at = 0;
  while (at < text.length && result.length < maxLength) {
    const dollar = text.indexOf('$', at);
    if (dollar === -1) return result + text.slice(at);
    result += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === '$') {
      result += '$';
      at = dollar + 2;
      continue;
    }
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(dollar + 1, dollar + 257))?.[0];
    if (name !== undefined) {
      result += valueOf(pass, name);
      at = dollar + 1 + name.length;
    } else if (next === '{') {
      const end = closing(text, dollar + 2);
      if (end === -1) return result + refuse(pass, text.slice(dollar), 'the closing brace is missing');
      result += braced(pass, text.slice(dollar + 2, end), depth);
      at = end + 1;
    } else {
      // Kept as it is, as compose does: regular expressions end in one.
      result += '$';
      at = dollar + 1;
    }
  }
  return result;
}

/** The brace that closes the one before `from`; -1 when there is none. */
function closing(text: string, from: number): number {
  let open = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '$' && text[at + 1] === '{') open += 1;
    else if (text[at] === '}' && (open -= 1) === 0) return at;
  }
  return -1;
}

function braced(pass: Pass, inner: string, depth: number): string {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])([\s\S]*))?$/.exec(inner);
  if (match === null) return refuse(pass, `\${${inner}}`, 'it is no variable');
  const [, name = '', operator, operand = ''] = match;
  if (operator === undefined) return valueOf(pass, name);
  if (depth >= maxDepth) return refuse(pass, `\${${inner}}`, 'defaults are nested too deeply');
  const value = pass.lookUp(name);
  const isThere = value !== undefined && (value !== '' || !operator.startsWith(':'));
  const kind = operator.at(-1);
  if (kind === '+') return isThere ? unfold(pass, operand, depth + 1) : '';
  if (isThere) return value;
  if (kind === '-') return unfold(pass, operand, depth + 1);
  const reason = unfold({ ...pass, problems: [] }, operand, depth + 1);
  pass.problems.push({
    code: 'config.required_variable',
    message: `the variable ${name} is required and not set${reason === '' ? '' : `: ${reason.slice(0, 200)}`}`,
    hint: `set ${name} in the environment or in .env`,
    isFatal: true,
  });
  return '';
}

function valueOf(pass: Pass, name: string): string {
  const value = pass.lookUp(name);
  if (value !== undefined) return value;
  pass.problems.push({
    code: 'config.unset_variable',
    message: `the variable ${name} is not set: nothing stands in its place`,
    hint: `set ${name} in the environment or in .env, write \${${name}:-default}, or $$ where a dollar sign is meant`,
    isFatal: false,
  });
  return '';
}

function refuse(pass: Pass, written: string, why: string): string {
  pass.problems.push({
    code: 'config.interpolation',
    message: `\`${written.slice(0, 2)}…\` cannot be read: ${why}`,
    hint: 'write $$ where a dollar sign is meant',
    isFatal: true,
  });
  return '';
}
