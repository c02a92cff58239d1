// What undici's llhttp makes of bytes.

import { createRequire } from 'node:module';

export interface Reading {
  /** `end`: an answer was complete. `error`: what came is no answer, or a part of one. */
  verdict: 'end' | 'error';
  status: number;
  body: string;
  /** Name, value: lower case, without what one hop keeps for itself. Empty on error. */
  headers: string[];
  /** Another request may follow on the connection, before the server closes it. */
  isReusable: boolean;
}

interface Llhttp {
  readonly memory: { readonly buffer: ArrayBuffer };
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  malloc(size: number): number;
  free(pointer: number): void;
  llhttp_execute(parser: number, data: number, length: number): number;
  llhttp_finish(parser: number): number;
  llhttp_get_status_code(parser: number): number;
  llhttp_should_keep_alive(parser: number): number;
}

/** Node has it; the compiler's `lib` of this project does not tell. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const responseType = 2;
const hopByHop = new Set(
  'connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
);

/** What llhttp makes of it, used as undici does: 1xx but 101 are passed over, HEAD has no body. */
export function readTheirs(parts: readonly string[], method: string): Reading {
  const seen = { ...nothing, headers: [] as string[] };
  let raw: [string, string][] = [];
  let isOver = false;
  let isTailed = false;
  let wasName = false;
  running = {
    onText(isName, text) {
      if (isOver) return;
      if (isName) {
        if (wasName) (raw.at(-1) as [string, string])[0] += text;
        else raw.push([text, '']);
      } else {
        (raw.at(-1) as [string, string])[1] += text;
      }
      wasName = isName;
    },
    onHead(status) {
      wasName = false;
      if (isOver) return 0;
      if (status < 200 && status !== 101) {
        raw = [];
        return 0;
      }
      seen.status = status;
      seen.headers = endToEnd(
        raw.map(([name, value]) => [name.toLowerCase(), value.replace(/^[ \t]+|[ \t]+$/g, '')]),
      );
      return method === 'HEAD' ? 1 : 0;
    },
    onBody(text) {
      if (!isOver) seen.body += text;
    },
    onEnd(keepsAlive) {
      wasName = false;
      if (isOver || seen.status < 200) return;
      isOver = true;
      seen.verdict = 'end';
      seen.isReusable = keepsAlive;
    },
    onBegin() {
      if (isOver) isTailed = true;
    },
  };
  const parser = llhttp.llhttp_alloc(responseType);
  let isBroken = false;
  for (const part of parts) {
    if (isBroken) continue;
    if (isOver && part.length > 0) isTailed = true;
    isBroken = execute(parser, part) !== 0;
  }
  if (isBroken && seen.status === 101) isOver = true;
  if (!isBroken && !isOver) llhttp.llhttp_finish(parser);
  llhttp.llhttp_free(parser);
  if (isTailed || isBroken) seen.isReusable = false;
  if (seen.verdict === 'error') seen.headers = [];
  return seen;
}

/** Which fields belong to one hop is no matter of llhttp's: those of the standard, and those `Connection` names. */
function endToEnd(fields: readonly (readonly [string, string])[]): string[] {
  const nominated = fields
    .filter(([name]) => name === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((name) => name.trim())
    .filter((name) => name !== 'content-length');
  return fields.filter(([name]) => !hopByHop.has(name) && !nominated.includes(name)).flat();
}

function execute(parser: number, text: string): number {
  const pointer = llhttp.malloc(text.length + 1);
  Buffer.from(llhttp.memory.buffer).write(text, pointer, 'latin1');
  const result = llhttp.llhttp_execute(parser, pointer, text.length);
  llhttp.free(pointer);
  return result;
}

const nothing: Reading = { verdict: 'error', status: 0, body: '', headers: [], isReusable: false };

interface Running {
  onText(isName: boolean, text: string): void;
  onHead(status: number): number;
  onBody(text: string): void;
  onEnd(keepsAlive: boolean): void;
  onBegin(): void;
}

let running: Running;
const llhttp: Llhttp = load();

function load(): Llhttp {
  const bytes = createRequire(import.meta.url)('undici/lib/llhttp/llhttp-wasm.js') as Uint8Array<ArrayBuffer>;
  const text = (at: number, length: number): string =>
    Buffer.from(llhttp.memory.buffer, at, length).toString('latin1');
  const none = (): number => 0;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: {
      wasm_on_url: none,
      wasm_on_status: none,
      wasm_on_message_begin: () => (running.onBegin(), 0),
      wasm_on_header_field: (_: number, at: number, length: number) => (
        running.onText(true, text(at, length)), 0
      ),
      wasm_on_header_value: (_: number, at: number, length: number) => (
        running.onText(false, text(at, length)), 0
      ),
      wasm_on_headers_complete: (parser: number) => running.onHead(llhttp.llhttp_get_status_code(parser)),
      wasm_on_body: (_: number, at: number, length: number) => (running.onBody(text(at, length)), 0),
      wasm_on_message_complete: (parser: number) => (
        running.onEnd(llhttp.llhttp_should_keep_alive(parser) === 1), 0
      ),
    },
  });
  return exports as unknown as Llhttp;
}
