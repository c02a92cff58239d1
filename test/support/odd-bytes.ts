// Bytes that mean something to a reader of HTTP/1.1, for changes at random places.

export const oddBytes: readonly string[] = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '0',
  'a',
  '\x7f',
];
