// What went wrong with an engine, in words fit for a log: no headers, no password, nothing unbounded.

export class EngineProblem extends Error {
  /** What to do about it. */
  readonly hint: string | null;

  constructor(message: string, hint: string | null) {
    super(message.slice(0, 300));
    this.hint = hint;
  }
}

/** `timeout` in milliseconds. */
export function explain(error: unknown, socketPath: string | null, timeout: number): EngineProblem {
  if (error instanceof EngineProblem) return error;
  const { code, name, message } = error as NodeJS.ErrnoException;
  const where = socketPath === null ? '' : `: ${socketPath}`;
  if (name === 'TimeoutError' || (code !== undefined && timeouts.has(code)))
    return new EngineProblem(`no answer within ${timeout / 1000} s`, null);
  switch (code) {
    case 'ENOENT':
      return new EngineProblem(`there is no socket${where}`, 'start the engine, or mount its socket');
    case 'EACCES':
    case 'EPERM':
      return new EngineProblem(
        `permission denied${where}`,
        'let the gateway’s user be in the group that owns the socket, or use a socket proxy',
      );
    case 'ECONNREFUSED':
      return new EngineProblem(`nobody listens${where}`, null);
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
      return new EngineProblem('its answer is larger than 16 MiB', null);
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return new EngineProblem('the connection broke', null);
    default:
      return new EngineProblem(code === undefined ? message : `${code}: ${message}`, null);
  }
}

const timeouts = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);
