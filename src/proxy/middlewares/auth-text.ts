// Names and realms of authentication as texts in logs and challenges.

/** Characters of a name in the access log. */
const maxName = 128;

/** Also of those who are not let in: what they call themselves must stay one short word of a line. */
export function loggableName(name: string): string {
  return name.slice(0, maxName).replace(/[\x00-\x1f\x7f]/g, '?');
}

/** For between the quotes of RFC 9110 §5.6.4. */
export function quotedText(text: string): string {
  return text.replace(/["\\]/g, '\\$&');
}
