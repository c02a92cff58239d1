// Lines of the access log, whatever a client sends: one line each, which a strict reader splits as it was meant.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AccessLogSettings } from '../../src/model/settings.ts';
import { buildClf } from '../../src/observability/access-clf.ts';
import { buildJson } from '../../src/observability/access-json.ts';
import { type AccessRecord, createAccessRecord } from '../../src/observability/access-record.ts';
import { buildShort } from '../../src/observability/access-short.ts';
import { maxValueChars } from '../../src/observability/log-text.ts';
import { bytes, fuzz, property, soup } from './fuzz.ts';

const hostile = soup(
  [
    '"',
    '\\',
    '\\x22',
    ' ',
    '\n',
    '\r',
    '\t',
    '\0',
    '\x1b[31m',
    '\x7f',
    '\x85',
    '\x9b',
    '\xe2\x80\xa8',
    '\xff',
    '] "',
    '" 200 1 "',
    ', ',
    ',"a":',
    '}\n{',
    '- - [',
    '\xed\xa0\x80',
    'a',
  ],
  10,
);
// Header bytes are latin1; names of users and certificates may be any text.
const long = bytes(10).map((text) => text.repeat(1_500));
const header = fc.oneof(
  { weight: 8, arbitrary: hostile },
  { weight: 8, arbitrary: bytes(20) },
  { weight: 1, arbitrary: long },
);
const anyText = fc.oneof(
  hostile,
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('\u2028', '\ud800', 'ü 😀', '\u202e'),
);
const name = fc.oneof(
  fc.stringMatching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,16}$/),
  fc.constantFrom('user-agent', 'referer', 'x--a', '__proto__'),
);
const headers = fc.array(fc.tuple(name, header), { maxLength: 5 }).map((list) => list.flat());

const record = fc.record(
  {
    method: header,
    path: header,
    search: header,
    authority: header,
    protocol: header,
    forwardedFor: fc.option(header),
    username: fc.option(anyText),
    peer: fc.constantFrom('192.0.2.1', '2001:db8::1', ''),
    peerPort: fc.constantFrom(0, 4711),
    routerName: fc.option(anyText),
    serviceName: fc.option(anyText),
    serverUrl: fc.option(fc.constantFrom('http://10.0.0.9:8000', 'http://[::1]:80')),
    tlsClientSubject: fc.option(anyText),
    status: fc.integer({ min: 100, max: 999 }),
    bytesOut: fc.nat(),
    originBytes: fc.nat(),
    originMs: fc.constantFrom(-1, 0, 1.25),
    durationMs: fc.constantFrom(0, 0.0001, 3.5, 1e9),
    startedAt: fc.constantFrom(0, 1_767_366_245_120.5, 4e12),
    requestHeaders: headers,
    responseHeaders: headers,
    originHeaders: fc.option(headers),
  },
  { noNullPrototype: true },
);

const fields: AccessLogSettings['fields'] = {
  defaultMode: 'keep',
  names: {},
  headersDefaultMode: 'keep',
  headers: {},
  queryParameters: 'keep',
};
const json = buildJson(fields);
const short = buildShort(fields);
const common = buildClf(fields, true);
const generic = buildClf(fields, false);

const quoted = '"((?:[^"\\\\]|\\\\.)*)"';
const clfLine = new RegExp(
  `^(\\S+) - (\\S+) \\[([^\\]]+)\\] ${quoted} (\\d{3}) (\\d+) ${quoted} ${quoted}(?: (\\d+) ${quoted} ${quoted} (\\d+)ms)?\\n$`,
);

fuzz('access-log', [
  property(
    'a JSON line is one document, in one line, with each name once and without control characters',
    record,
    (change) => {
      const made = recordOf(change);
      const line = json(made, 7);
      checkLine(line, made);
      const members = membersOf(line);
      assert.equal(new Set(members).size, members.length, 'a name twice');
      const read = JSON.parse(line) as Record<string, unknown>;
      assert.equal(read['DownstreamStatus'], made.status);
      assert.equal(read['RequestPath'], shown(made.path + made.search));
      assert.equal(read['RequestMethod'], shown(made.method));
      assert.equal(read['level'], 'info');
      assert.equal(read['entryPointName'], 'web');
      assert.equal(read['RequestCount'], 7);
    },
    1_500,
  ),
  property(
    'a short line is one document of five members',
    record,
    (change) => {
      const made = recordOf(change);
      const line = short(made, 7);
      checkLine(line, made);
      assert.deepEqual(membersOf(line), ['time', 'status', 'method', 'path', 'duration']);
      assert.equal((JSON.parse(line) as { path: string }).path, shown(made.path + made.search));
    },
    500,
  ),
  property(
    'a line of the common format splits into its columns, and no client makes a column of its own',
    record,
    (change) => {
      const made = recordOf(change);
      for (const format of [common, generic]) {
        const line = format(made, 7);
        checkLine(line, made);
        assert.match(line.slice(0, -1), /^[\x20-\x7e]*$/);
        const columns = clfLine.exec(line);
        assert.ok(columns !== null, line);
        assert.equal(columns[5], String(made.status));
        assert.equal(columns[6], String(made.bytesOut));
        const path = made.path + made.search;
        if (path !== '' && path.length <= maxValueChars)
          assert.ok(unescape(columns[4] as string).includes(path));
        assert.equal(columns[9], format === common ? '7' : undefined);
      }
    },
    600,
  ),
]);

function recordOf(change: object): AccessRecord {
  return { ...createAccessRecord(), entryPoint: 'web', scheme: 'http', ...change } as AccessRecord;
}

function checkLine(line: string, { requestHeaders, responseHeaders, originHeaders }: AccessRecord): void {
  assert.ok(line.endsWith('\n') && line.indexOf('\n') === line.length - 1, 'one line');
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(line.slice(0, -1), /[\x00-\x1f\x7f-\x9f\u2028\u2029]/);
  assert.ok(line.isWellFormed(), 'half a character');
  const values = 32 + (requestHeaders.length + responseHeaders.length + (originHeaders?.length ?? 0)) / 2;
  // A byte may take six characters, and names have a bound of their own.
  assert.ok(line.length <= values * (6 * maxValueChars + 200));
}

/** What a value is read as: cut, and the bytes of text taken for UTF-8. */
function shown(value: string): string {
  const cut = value.length > maxValueChars ? `${value.slice(0, maxValueChars)}...` : value;
  return Buffer.from(cut, 'latin1').toString('utf8');
}

function unescape(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-f]{2})|(["\\]))/g,
    (_, hex: string | undefined, char: string | undefined) =>
      hex === undefined ? (char as string) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Names of the members of a flat object, as they stand there; throws for anything else. */
function membersOf(line: string): string[] {
  const text = line.trimEnd();
  const names: string[] = [];
  const member = /([{,])("(?:[^"\\]|\\.)*"):("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)/y;
  for (let match = member.exec(text); match !== null; match = member.exec(text)) {
    assert.equal(match[1], names.length === 0 ? '{' : ',');
    names.push(JSON.parse(match[2] as string) as string);
    if (text.slice(member.lastIndex) === '}') return names;
  }
  throw new Error(`no flat object: ${text.slice(0, 200)}`);
}
