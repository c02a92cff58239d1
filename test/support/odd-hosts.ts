// Values of Host that have no one meaning.

export const hostsOfNoMeaning: readonly string[] = [
  'a,b',
  'u@h',
  'u:p@h',
  'h/p',
  '',
  'a b',
  'h?x',
  'h#x',
  'h\\x',
  'x\x80y',
  'a:b',
  '[::1',
  '::1',
  'a:80:80',
  '%61',
  'a;b',
  "a'b",
  'a"b',
  '<a>',
];
