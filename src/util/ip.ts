// Sets of IP addresses and networks, read once and asked on every request.

import { BlockList, isIP } from 'node:net';

export interface IpSet {
  /** Of an address in text form; false for anything that is not one. */
  has(address: string): boolean;
}

/** Of addresses and CIDRs. Throws `Error` naming the entry that is neither. */
export function parseIpSet(entries: readonly string[]): IpSet {
  const nets = new BlockList();
  for (const entry of entries) addEntry(nets, entry.trim());
  if (entries.length === 0) return { has: () => false };
  let lastAddress = '';
  let lastAnswer = false;
  return {
    has(address) {
      // Requests of one connection come one after the other: the last answer is worth keeping.
      if (address === lastAddress) return lastAnswer;
      const family = isIP(address);
      const answer = family !== 0 && nets.check(address, family === 4 ? 'ipv4' : 'ipv6');
      lastAddress = address;
      lastAnswer = answer;
      return answer;
    },
  };
}

function addEntry(nets: BlockList, entry: string): void {
  const slash = entry.indexOf('/');
  const address = slash === -1 ? entry : entry.slice(0, slash);
  const family = isIP(address);
  if (family === 0) throw new Error(`"${entry}" is neither an IP address nor a CIDR`);
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (slash === -1) {
    nets.addAddress(address, type);
    return;
  }
  const written = entry.slice(slash + 1);
  const bits = /^\d{1,3}$/.test(written) ? Number(written) : -1;
  if (bits < 0 || bits > (family === 4 ? 32 : 128)) {
    throw new Error(`"${entry}" has no prefix length between 0 and ${family === 4 ? 32 : 128}`);
  }
  nets.addSubnet(address, bits, type);
}
