// What an entry point's redirection may name: as the `redirectScheme` middleware it becomes takes it.

/** A number from 1 to 65535. */
export function isRedirectionPort(written: string | number): boolean {
  return /^\d{1,5}$/.test(String(written)) && Number(written) >= 1 && Number(written) <= 65_535;
}

/** As RFC 3986 has schemes. */
export function isScheme(written: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*$/.test(written);
}
