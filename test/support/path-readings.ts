// How servers of different kinds read the path they are sent, and the paths that set them at odds.

/** The path a server acts on; null where it answers 400 by itself. */
export type Reading = (path: string) => string | null;

const once = (path: string): string | null => {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
};
const twice = (path: string): string | null => {
  const first = once(path);
  return first === null ? null : once(first);
};
/** Of ASCII alone; what is broken stays. */
const loosely = (path: string): string =>
  path.replaceAll(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
const withoutParameters = (path: string): string => path.replaceAll(/;[^/]*/g, '');
const slashed = (path: string): string => path.replaceAll('\\', '/');
const cutAtNul = (path: string): string => path.split('\0', 1)[0] as string;
const whatwg = (path: string): string | null =>
  URL.parse(path.replace(/^\/+/, '/'), 'http://a.test')?.pathname ?? null;
/** Two bytes for an ASCII character, as decoders took it that did not check. */
const overlong = (path: string): string =>
  path.replaceAll(/%c([01])%([89ab][0-9a-f])/gi, (_, high: string, low: string) =>
    String.fromCharCode((high === '1' ? 0x40 : 0) | (Number.parseInt(low, 16) & 0x3f)),
  );

/** Empty, `.` and `..` segments resolved, and nothing else. */
export function resolveDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

function piped(...steps: readonly Reading[]): Reading {
  return (path) => {
    let read: string | null = path;
    for (const step of steps) read = read === null ? null : step(read);
    return read;
  };
}

export const readings: Readonly<Record<string, Reading>> = {
  'as it is': (path) => path,
  'WHATWG URL': whatwg,
  'dots resolved, nothing decoded': resolveDots,
  'decoded once, then resolved': piped(once, resolveDots),
  'decoded once, then WHATWG URL': piped(once, whatwg),
  'decoded loosely, then resolved': piped(loosely, resolveDots),
  'decoded loosely to NUL, then resolved': piped(loosely, cutAtNul, resolveDots),
  'resolved, decoded, resolved again': piped(resolveDots, once, resolveDots),
  'decoded twice, then resolved': piped(twice, resolveDots),
  'decoded loosely three times, backslashes turned': piped(loosely, loosely, loosely, slashed, resolveDots),
  'parameters cut, then decoded': piped(withoutParameters, loosely, resolveDots),
  'decoded, then parameters cut': piped(loosely, withoutParameters, resolveDots),
  'decoded twice, then parameters cut and backslashes turned': piped(
    loosely,
    loosely,
    withoutParameters,
    slashed,
    resolveDots,
  ),
  'decoded, backslashes turned': piped(loosely, slashed, resolveDots),
  'overlong UTF-8 taken': piped(overlong, loosely, slashed, resolveDots),
};

/** Pieces a hostile path is put together from. */
export const pathPieces: readonly string[] = [
  ...'/ // /./ /../ /.. /. \\ /..\\ \\..\\ ; /;/ /..;/ /.;x/ ;x=1/../ /;/../ /...; /.../ /....// @ : :80 ~ * , [] {}'.split(
    ' ',
  ),
  ...'%2f %2F %2f..%2f /%2e%2e/ /%2e./ /.%2E/ %2e%2e/ /..%2f %5c %5C..%5C /..%5c %5c../ %00 %00/ /%00../ %3b'.split(
    ' ',
  ),
  ...'/..%3b/ %3f ? ?/../ %23 /..%23 /..%3f/ %25 %252e%252e/ /%252e%252e/ %252f /..%252f /%25252e./ %255c..'.split(
    ' ',
  ),
  ...'/%%32e /%2%65 /%25%32%65./ /..%253b/ /..%2500 /.%2e%252f /%c0%ae%c0%ae/ %c0%af /..%c0%af %e0%80%af'.split(
    ' ',
  ),
  ...'/%e0%80%ae. %c1%9c.. /%f0%80%80%ae./ %25c0%25ae %u002f /%u002e. % %2 %zz %ff %20 /%20../ %09 /.%09./'.split(
    ' ',
  ),
  ...'/.%0a. /%0d.. %0d%0a %2509 # /#/ %61pi %2561pi API %41pi'.split(' '),
];
