// What a plugin's `build` gives back, looked at before it is believed: hooks that nobody would call are a guard that
// is not there.

import type { Exchange } from '../../exchange.ts';
import { ANSWERED, type AnswerVerdict, type Hooks, type Verdict } from '../../hooks.ts';

type AnswerHook = (x: Exchange) => AnswerVerdict | Promise<AnswerVerdict>;

const phases = ['request', 'response', 'end'] as const;

/** Throws `Error` for what is none. Hooks that make an answer also fail when its headers would make others. */
export function checkedHooks(made: unknown): Hooks {
  if (typeof made !== 'object' || made === null) throw new Error('`build` returned no hooks');
  if ('then' in made) throw new Error('`build` returned a promise: it must not wait for anything');
  const hooks = made as Hooks;
  const isPhase = (name: string): boolean => hooks[name as keyof Hooks] !== undefined;
  if (Object.keys(made).length > 0 && !phases.some(isPhase))
    throw new Error(`\`build\` returned none of the hooks ${phases.join(', ')}`);
  for (const name of phases)
    if (isPhase(name) && typeof hooks[name] !== 'function')
      throw new Error(`the hook ${name} is no function`);
  const { request, response, end } = hooks;
  return {
    ...(request === undefined
      ? {}
      : { request: guarded<Verdict>(request, (verdict) => verdict === ANSWERED) }),
    ...(response === undefined
      ? {}
      : { response: guarded<AnswerVerdict | undefined>(response as AnswerHook, () => true) as AnswerHook }),
    ...(end === undefined ? {} : { end }),
  };
}

/** Throws `Error` unless they are texts. */
export function checkedNames(names: unknown): readonly string[] {
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  throw new Error('`ownHeaders` returned no list of header names');
}

function guarded<V>(
  hook: (x: Exchange) => V | Promise<V>,
  hasAnswer: (verdict: V) => boolean,
): (x: Exchange) => V | Promise<V> {
  const settle = (x: Exchange, verdict: V): V => {
    if (hasAnswer(verdict) && !x.ended) checkAnswer(x);
    return verdict;
  };
  return (x) => {
    const verdict = hook(x);
    return verdict instanceof Promise ? verdict.then((settled) => settle(x, settled)) : settle(x, verdict);
  };
}

/** What the engines take for granted: one of them would write down whatever it is, the other throws. */
function checkAnswer({ status, isUpgrade, responseHeaders, answerBody }: Exchange): void {
  const isStatus = Number.isInteger(status) && status >= 200 && status <= 999;
  if (!isStatus && !(isUpgrade && status === 101)) throw new Error('a plugin made a status that is none');
  const isBody = typeof answerBody === 'string' || (answerBody as unknown) instanceof Uint8Array;
  if (!isBody) throw new Error('a plugin made a body that is neither text nor bytes');
  checkHeaders(responseHeaders);
}

/** A line break in a value, of a client's text say, would begin a header of its own. */
function checkHeaders(headers: readonly unknown[]): void {
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i], headers[i + 1]];
    const isField =
      typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name) && typeof value === 'string';
    // Also what is no latin1: U+010D and U+010A would leave as CR and LF.
    // oxlint-disable-next-line no-control-regex
    if (!isField || /[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/.test(value))
      throw new Error('a plugin made a header that is none');
  }
}
