// Rules as trees: how they are made, written down in many ways, and judged by the plainest reading of them.

import fc from 'fast-check';
import type { RuleSyntax } from '../../src/model/snapshot.ts';
import type { ParsedNode } from '../../src/rules/parser.ts';
import type { RuleSubject } from '../../src/rules/subject.ts';

interface Call {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly string[];
  readonly style: number;
}

export type Tree =
  | Call
  | { readonly kind: 'not'; readonly child: Tree; readonly style: number }
  | { readonly kind: 'and' | 'or'; readonly children: readonly Tree[]; readonly style: number };

const hosts = ['a.test', 'A.Test', 'b.a.test', '*.a.test', '*', 'a.test.', '[::1]', 'localhost', '*.test'];
const paths = ['/', '/a', '/a/b', '/a/', '/%2Fx', '/A'];
const patterns = ['^/a', 'b$', 'a.*t', '[ab]+', '^(?:a|b)c?', '^$', '\\.', 'x{2}', '(?i)TEST'];
const queries = ['q', 'Q', 'x y', '1'];
const addresses = ['10.0.0.0/8', '10.0.0.1', '::1', '2001:db8::/32', '0.0.0.0/0'];
const fieldNames = ['X-A', 'x-b', 'Upgrade', 'Connection', 'Host'];
const fieldValues = ['1', 'a, b', 'websocket', 'Upgrade', 'ü', 'canary'];
const methods = ['GET', 'post', 'PURGE'];

const style = fc.nat(1_000);
const one = (name: string, from: readonly string[]): fc.Arbitrary<Call> =>
  fc.record(
    {
      kind: fc.constant('call' as const),
      name: fc.constant(name),
      args: fc.tuple(fc.constantFrom(...from)),
      style,
    },
    { noNullPrototype: true },
  );
const two = (name: string, first: readonly string[], second: readonly string[]): fc.Arbitrary<Call> =>
  fc.record(
    {
      kind: fc.constant('call' as const),
      name: fc.constant(name),
      args: fc.tuple(fc.constantFrom(...first), fc.constantFrom(...second)),
      style,
    },
    { noNullPrototype: true },
  );
const some = (name: string, from: readonly string[]): fc.Arbitrary<Call> =>
  fc.record(
    {
      kind: fc.constant('call' as const),
      name: fc.constant(name),
      args: fc.array(fc.constantFrom(...from), { minLength: 1, maxLength: 3 }),
      style,
    },
    { noNullPrototype: true },
  );

const callsV3 = fc.oneof(
  one('Host', hosts),
  one('HostRegexp', patterns),
  one('Path', paths),
  one('PathPrefix', paths),
  one('PathRegexp', patterns),
  one('Method', methods),
  two('Header', fieldNames, fieldValues),
  two('HeaderRegexp', fieldNames, patterns),
  two('Query', queries, ['1', 'a b', 'é']),
  one('Query', queries),
  two('QueryRegexp', queries, patterns),
  one('ClientIP', addresses),
);
const callsV2 = fc.oneof(
  some('Host', hosts),
  some('HostHeader', hosts),
  some('HostRegexp', ['{sub:[a-z]+}.test', 'a.test', '{any}.test', '{x:.+}']),
  some('Path', [...paths, '/{id:[a-z]+}', '/{id}']),
  some('PathPrefix', [...paths, '/{id:[a-b]}']),
  some('Method', methods),
  two('Headers', fieldNames, fieldValues),
  two('HeadersRegexp', fieldNames, patterns),
  some('Query', ['q=1', 'q=', 'x y=a b', 'q={n:[0-9]+}', 'Q=1=2']),
  some('ClientIP', addresses),
);

export const treesV3: fc.Arbitrary<Tree> = treesOf(callsV3);
export const treesV2: fc.Arbitrary<Tree> = treesOf(callsV2);

export const subjects: fc.Arbitrary<RuleSubject> = fc.record(
  {
    host: fc.constantFrom('', 'a.test', 'b.a.test', 'c.b.a.test', 'x.test', '::1', 'localhost', 'test'),
    routePath: fc.constantFrom('/', '/a', '/a/b', '/a/', '/ab', '/%2Fx', '/A', '/b', '/bc', '/xx'),
    method: fc.constantFrom('GET', 'POST', 'get', 'PURGE'),
    headers: fc
      .array(
        fc.tuple(
          fc.constantFrom('x-a', 'x-b', 'upgrade'),
          fc.constantFrom('1', 'a, b', 'a', '\xc3\xbc', '\xfc', 'canary', ''),
        ),
        { maxLength: 3 },
      )
      .map((list) => list.flat()),
    search: fc.constantFrom(
      '',
      '?q=1',
      '?q',
      '?q=&q=1',
      '?q=1&q=2',
      '?Q=1=2',
      '?x+y=a%20b',
      '?x%20y=a+b',
      '?q=%zz',
      '?%zz=1&q=1',
      '?q=%c3%a9',
      '?q=%ff',
      '?a;q=1',
      '?=1',
      '?&&q=xx',
      '?q=canary',
    ),
    peer: fc.constantFrom('10.0.0.1', '10.9.9.9', '192.0.2.1', '::1', '2001:db8::7', '::ffff:10.0.0.1'),
    isUpgrade: fc.boolean(),
  },
  { noNullPrototype: true },
);

function treesOf(calls: fc.Arbitrary<Tree>): fc.Arbitrary<Tree> {
  return fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5, depthSize: 'small', withCrossShrink: true },
      calls,
      fc.record({ kind: fc.constant('not' as const), child: tie('tree'), style }, { noNullPrototype: true }),
      fc.record(
        {
          kind: fc.constantFrom('and' as const, 'or' as const),
          children: fc.array(tie('tree'), { minLength: 2, maxLength: 4 }),
          style,
        },
        { noNullPrototype: true },
      ),
    ),
  })).tree;
}

/** In one of many ways: blanks, comments, quotes, spellings and brackets that mean nothing. */
export function write(tree: Tree): string {
  const { style: how } = tree;
  const blank = ['', ' ', '\t', '  ', '/* Host( */'][how % 5] as string;
  let text: string;
  if (tree.kind === 'call') text = writeCall(tree, blank);
  else if (tree.kind === 'not')
    text = `!${blank}${tree.child.kind === 'and' || tree.child.kind === 'or' ? bracketed(tree.child) : write(tree.child)}`;
  else
    text = tree.children
      .map((child) => inner(child, tree.kind))
      .join(
        how % 11 === 0
          ? `${tree.kind === 'and' ? '&&' : '||'} // and so on\n`
          : `${blank}${tree.kind === 'and' ? '&&' : '||'}${blank}`,
      );
  return how % 3 === 0 ? `(${blank}${text})` : text;
}

function writeCall({ name, args, style: how }: Call, blank: string): string {
  const list = args.map((arg) => quoted(arg, how)).join(`${blank},${blank}`);
  return `${spelt(name, how)}${blank}(${blank}${list}${how % 7 === 0 ? ',' : ''}${blank})`;
}

/** What the parser's tree says, without places. */
export function meaning(node: ParsedNode): unknown {
  if (node.kind === 'call') return [node.name.toLowerCase(), ...node.args];
  if (node.kind === 'not') return ['!', meaning(node.child)];
  return [node.kind, ...node.children.map(meaning)];
}

export function meant(tree: Tree): unknown {
  if (tree.kind === 'call') return [tree.name.toLowerCase(), ...tree.args];
  if (tree.kind === 'not') return ['!', meant(tree.child)];
  return [tree.kind, ...tree.children.map(meant)];
}

function inner(child: Tree, kind: 'and' | 'or'): string {
  const needsBrackets = child.kind === kind || (kind === 'and' && child.kind === 'or');
  return needsBrackets ? bracketed(child) : write(child);
}

function bracketed(tree: Tree): string {
  return `(${write(tree)})`;
}

function spelt(name: string, how: number): string {
  const lower = name.toLowerCase();
  return [name, lower, name.toUpperCase(), `${name[0]}${lower.slice(1)}`][how % 4] as string;
}

function quoted(arg: string, how: number): string {
  return how % 2 === 0 ? `\`${arg}\`` : JSON.stringify(arg);
}

/** Whether the rule holds, as the documentation says it. */
export function holds(tree: Tree, subject: RuleSubject, syntax: RuleSyntax): boolean {
  if (tree.kind === 'not') return !holds(tree.child, subject, syntax);
  if (tree.kind !== 'call') {
    const children = tree.children.map((child) => holds(child, subject, syntax));
    return tree.kind === 'and' ? !children.includes(false) : children.includes(true);
  }
  return syntax === 'v2'
    ? callHoldsV2(tree.name, tree.args, subject)
    : callHolds(tree.name, tree.args, subject);
}

function callHolds(name: string, args: readonly string[], s: RuleSubject): boolean {
  const [first = '', second] = args;
  switch (name) {
    case 'Host': {
      if (first === '*') return true;
      const host = bareHost(first);
      const [label, ...rest] = s.host.split('.');
      if (host.startsWith('*.')) return label !== '' && rest.length > 0 && rest.join('.') === host.slice(2);
      return s.host !== '' && s.host === host;
    }
    case 'HostRegexp':
      return regexp(first).test('') || regexp(first).test(s.host);
    case 'Path':
      return s.routePath === first;
    case 'PathPrefix':
      return s.routePath.startsWith(first);
    case 'PathRegexp':
      return regexp(first).test(s.routePath);
    case 'Method':
      return s.method === first.toUpperCase();
    case 'Header':
      return fieldLines(first, s).some((line) => line === second);
    case 'HeaderRegexp':
      return fieldLines(first, s).some((line) => regexp(second ?? '').test(line));
    case 'Query':
      return queryValues(s.search, first).includes(second ?? '');
    case 'QueryRegexp':
      return queryValues(s.search, first).some((value) => regexp(second ?? '').test(value));
    default:
      return isIn(s.peer, first);
  }
}

function callHoldsV2(name: string, args: readonly string[], s: RuleSubject): boolean {
  switch (name) {
    case 'Host':
    case 'HostHeader':
      return args.some((host) => s.host !== '' && bareHost(host) === s.host);
    case 'HostRegexp':
      return args.some((form) => s.host !== '' && template(form, '[^.]+', true, 'i').test(s.host));
    case 'Path':
      return args.some((form) => template(form, '[^/]+', true, '').test(s.routePath));
    case 'PathPrefix':
      return args.some((form) => template(form, '[^/]+', false, '').test(s.routePath));
    case 'Headers':
    case 'HeadersRegexp':
      return callHolds(name === 'Headers' ? 'Header' : 'HeaderRegexp', args, s);
    case 'Query':
      return args.every((pair) => {
        const [value] = queryValues(s.search, pair.slice(0, pair.indexOf('=')));
        const wanted = pair.slice(pair.indexOf('=') + 1);
        return value !== undefined && (wanted === '' || template(wanted, '.*', true, '').test(value));
      });
    default:
      return args.some((arg) => callHolds(name, [arg], s));
  }
}

function bareHost(written: string): string {
  return written
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function regexp(pattern: string): RegExp {
  return pattern.startsWith('(?i)') ? new RegExp(pattern.slice(4), 'i') : new RegExp(pattern);
}

function template(form: string, any: string, isWhole: boolean, flags: string): RegExp {
  const parts = form.split(/(\{[^}]*\})/).map((part) => {
    if (!part.startsWith('{')) return part.replace(/[\\.+*?()|[\]^$]/g, '\\$&');
    const colon = part.indexOf(':');
    return `(?:${colon === -1 ? any : part.slice(colon + 1, -1)})`;
  });
  return new RegExp(`^${parts.join('')}${isWhole ? '$' : ''}`, flags);
}

/** Lines of a field as text; a handshake has two that intake has taken out. */
function fieldLines(written: string, s: RuleSubject): string[] {
  const name = written.toLowerCase();
  if (name === 'host') return [];
  const lines: string[] = [];
  for (let i = 0; i < s.headers.length; i += 2) {
    if (s.headers[i] === name) lines.push(Buffer.from(s.headers[i + 1] as string, 'latin1').toString('utf8'));
  }
  if (s.isUpgrade === true && name === 'upgrade') lines.push('websocket');
  if (s.isUpgrade === true && name === 'connection') lines.push('Upgrade', 'upgrade');
  return lines;
}

function queryValues(search: string, key: string): string[] {
  const values: string[] = [];
  for (const pair of search.slice(1).split(/[&;]/)) {
    const split = pair.indexOf('=');
    const name = unescaped(split === -1 ? pair : pair.slice(0, split));
    const value = unescaped(split === -1 ? '' : pair.slice(split + 1));
    if (pair !== '' && name === key && value !== null) values.push(value);
  }
  return values;
}

function unescaped(text: string): string | null {
  const spaced = text.replaceAll('+', ' ');
  if (/%(?![0-9a-f]{2})/i.test(spaced)) return null;
  return Buffer.from(
    spaced.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');
}

/** Of the few networks and peers there are here. */
function isIn(peer: string, network: string): boolean {
  const isV4 = peer.includes('.');
  const bare = peer.replace('::ffff:', '');
  if (network === '0.0.0.0/0') return isV4;
  if (network === '10.0.0.0/8') return bare.startsWith('10.');
  if (network === '2001:db8::/32') return peer.startsWith('2001:db8:');
  return bare === network;
}
