// What nodes keep from whoever reads their Redis: texts encrypted, names digested, with keys of one common secret.

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const nonceLength = 12;
const tagLength = 16;

/** Keys by HKDF-SHA-256, one a use; texts by AES-256-GCM with random nonces. */
export class Sealing {
  /** Leads digests that stay within gateways; hex. */
  readonly digestSecret: string;
  /** Leads digests of session ids; hex. */
  readonly sessionSalt: string;
  readonly #names: Buffer;
  readonly #texts: Buffer;

  constructor(secret: string) {
    const derive = (use: string): Buffer =>
      Buffer.from(hkdfSync('sha256', secret, '', `portcullis ${use}`, 32));
    this.digestSecret = derive('auth keys').toString('hex');
    this.sessionSalt = derive('session ids').toString('hex');
    this.#names = derive('names');
    this.#texts = derive('texts');
  }

  /** What `key`, one byte a char, is called in the open. */
  nameOf(key: string): string {
    return createHmac('sha256', this.#names).update(key, 'latin1').digest('base64url');
  }

  /** `place` is where it belongs: anywhere else it does not open. */
  seal(text: string, place: string): string {
    const nonce = randomBytes(nonceLength);
    const cipher = createCipheriv('aes-256-gcm', this.#texts, nonce);
    cipher.setAAD(Buffer.from(place));
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64');
  }

  /** Null for whatever was not sealed with this secret for this place. */
  open(sealed: string, place: string): string | null {
    const bytes = Buffer.from(sealed, 'base64');
    if (bytes.length < nonceLength + tagLength) return null;
    const cipher = createDecipheriv('aes-256-gcm', this.#texts, bytes.subarray(0, nonceLength), {
      authTagLength: tagLength,
    });
    cipher.setAAD(Buffer.from(place));
    cipher.setAuthTag(bytes.subarray(bytes.length - tagLength));
    try {
      const body = cipher.update(bytes.subarray(nonceLength, bytes.length - tagLength));
      return Buffer.concat([body, cipher.final()]).toString('utf8');
    } catch {
      return null;
    }
  }
}
