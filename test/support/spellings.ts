// Header names a gateway answers for, and every way of writing them that a careless server takes for the same.

/** Of the auth server, in the front door's configuration. */
export const identityNames = ['X-User-Id', 'X-User-Role', 'X-Auth.Info'] as const;

export const forwardingNames: readonly string[] = [
  ...['For', 'Proto', 'Host', 'Port', 'Server', 'Prefix', 'Uri', 'Method', 'Tls-Client-Cert', 'Anything'].map(
    (name) => `X-Forwarded-${name}`,
  ),
  'X-Real-Ip',
  'Forwarded',
  'X-Rewrite-Url',
  'X-Replaced-Path',
  ...['Url', 'Uri', 'Host', 'Method', 'Forwarded-For'].map((name) => `X-Original-${name}`),
];

/** RFC 9110 §5.6.2, what is neither letter nor digit. */
export const tokenCharacters: readonly string[] = Array.from("!#$%&'*+-.^_`|~");

/** Each a token that folds to `name`: one separator for another, two kinds mixed, every case. */
export function spellingsOf(name: string): string[] {
  const spelled = tokenCharacters.map((character) => name.replaceAll(/[-.]/g, character));
  const mixed = tokenCharacters.map((character, nth) => {
    let at = 0;
    return name.replaceAll(/[-.]/g, () =>
      at++ % 2 === 0 ? character : (tokenCharacters[(nth + 7) % 15] as string),
    );
  });
  const crooked = Array.from(name, (char, i) => (i % 2 === 0 ? char.toLowerCase() : char.toUpperCase())).join(
    '',
  );
  return [...new Set([...spelled, ...mixed, name.toUpperCase(), name.toLowerCase(), crooked, name])];
}

/** As CGI, WSGI and their like name a header. */
export function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '_');
}

/** Values in a flat list of every name that folds to `name`. */
export function foldedValues(raw: readonly string[], name: string): string[] {
  return raw.filter((_, i) => i % 2 === 1 && fold(raw[i - 1] as string) === fold(name));
}
