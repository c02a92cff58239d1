// Hashes that are no secret's guard: for cookies of old, and to spread clients.

/** FNV-1 of 64 bits (multiply, then xor), in hex without leading zeros. */
export function fnv1Hex(text: string): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of Buffer.from(text, 'utf8')) {
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + (low << 8) + Math.floor(product / 2 ** 32)) >>> 0;
    low = ((product >>> 0) ^ byte) >>> 0;
  }
  const digits = high.toString(16) + low.toString(16).padStart(8, '0');
  return digits.replace(/^0+(?=.)/, '');
}

/** FNV-1a of 32 bits over the text's code units. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** Two hashes as one number between 0 and 1: evenly spread, and the same in every process. */
export function shareOf(first: number, second: number): number {
  // MurmurHash3's last step: FNV-1a leaves addresses that differ in one digit close together.
  let hash = Math.imul(first, 0x9e3779b1) ^ second;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}
