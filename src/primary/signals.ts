// What each signal asks for.

export interface SignalActions {
  /** SIGTERM or SIGINT; the second one of either calls `atOnce`. */
  readonly shutDown: (signal: string) => void;
  readonly atOnce: () => void;
  /** SIGQUIT: a successor serves on the same ports. */
  readonly retire: () => void;
  readonly reload: () => void;
  readonly reopenLogs: () => void;
  readonly roll: () => void;
}

/** Starts to listen; the returned function stops it. */
export function onSignals(actions: SignalActions): () => void {
  let asked = false;
  const end = (signal: string): void => {
    if (asked) return actions.atOnce();
    asked = true;
    actions.shutDown(signal);
  };
  const retire = (): void => {
    if (asked) return;
    asked = true;
    actions.retire();
  };
  const table: readonly (readonly [NodeJS.Signals, (signal: NodeJS.Signals) => void])[] = [
    ['SIGTERM', end],
    ['SIGINT', end],
    ['SIGQUIT', retire],
    ['SIGHUP', () => actions.reload()],
    ['SIGUSR1', () => actions.reopenLogs()],
    ['SIGUSR2', () => actions.roll()],
  ];
  for (const [signal, action] of table) process.on(signal, action);
  return () => {
    for (const [signal, action] of table) process.off(signal, action);
  };
}
