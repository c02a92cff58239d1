// Under which key something secret is remembered: 32 bytes that tell nothing about it to someone who reads memory.

import { hash } from 'node:crypto';

/** `of` the same text is the same key in one boot; the text is one char a byte. */
export class SecretKey {
  readonly #prefix: string;

  constructor(secret: string) {
    this.#prefix = hash('sha256', secret, 'base64');
  }

  of(text: string): string {
    // The secret leads the message, which costs a fifth of an HMAC: weak for a MAC others see and extend, but
    // these never leave.
    return hash('sha256', this.#prefix + text, 'binary');
  }
}
