// A peer's address from its bytes to text, IPv4-mapped IPv6 as IPv4, IPv6 as RFC 5952 writes it.

export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return ipv4(bytes, 0);
  if (bytes.length !== 16) return '';
  let isMapped = bytes[10] === 0xff && bytes[11] === 0xff;
  for (let i = 0; i < 10 && isMapped; i++) isMapped = bytes[i] === 0;
  return isMapped ? ipv4(bytes, 12) : ipv6(bytes);
}

function ipv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function ipv6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number));
  const [start, length] = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function longestZeros(groups: readonly number[]): readonly [number, number] {
  let best: readonly [number, number] = [0, 0];
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (to < groups.length && groups[to] === 0) to++;
    if (to - from > best[1]) best = [from, to - from];
  }
  return best;
}
