// The request target as it stands on the wire, cut into what intake reads.

export interface WireTarget {
  readonly path: string;
  readonly query: string;
  /** Of an absolute-form target, which then is the Host (RFC 9112 §3.2.2); null for any other. */
  readonly authority: string | null;
}

const absoluteForm = /^https?:\/\/([^/?#]*)(.*)$/i;

export function readWireTarget(url: string): WireTarget {
  if (url.charCodeAt(0) === 0x2f) return cut(url, null);
  const match = absoluteForm.exec(url);
  if (match === null) return { path: url, query: '', authority: null };
  const rest = match[2] as string;
  return cut(rest.charCodeAt(0) === 0x2f ? rest : `/${rest}`, match[1] as string);
}

function cut(target: string, authority: string | null): WireTarget {
  const mark = target.indexOf('?');
  if (mark === -1) return { path: target, query: '', authority };
  return { path: target.slice(0, mark), query: target.slice(mark + 1), authority };
}
