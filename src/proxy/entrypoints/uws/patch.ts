// Makes a copy of the uWebSockets.js addon that loads on glibc older than 2.38. Bytes in, bytes out.

import { createHash } from 'node:crypto';
import { addonChecksums, type AddonFile } from './checksums.ts';

/** One addon file we know byte for byte; its checksum is in `checksums.ts`. */
export interface AddonBuild {
  readonly file: AddonFile;
  /** The imported symbols that carry GLIBC_2.38, all of them. */
  readonly symbols: readonly string[];
  /** The libc.so.6 version the plain C names have on this architecture. */
  readonly baseVersion: string;
}

export const addonBuilds: readonly AddonBuild[] = [
  {
    file: 'uws_linux_x64_137.node',
    symbols: ['__isoc23_sscanf', '__isoc23_strtol', '__isoc23_strtoul'],
    baseVersion: 'GLIBC_2.2.5',
  },
  {
    file: 'uws_linux_arm64_137.node',
    symbols: ['__isoc23_strtol', '__isoc23_strtoul'],
    baseVersion: 'GLIBC_2.17',
  },
];

const newVersion = 'GLIBC_2.38';
const prefix = '__isoc23_';
const libc = 'libc.so.6';

// Section types and the weak flag, from the ELF and LSB specifications.
const SHT_DYNSYM = 11;
const SHT_VERNEED = 0x6ffffffe;
const SHT_VERSYM = 0x6fffffff;
const VER_FLG_WEAK = 2;
const SYMBOL_BYTES = 24;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

interface Versions {
  /** Index of the version the symbols move to. */
  readonly base: number;
  /** Index of GLIBC_2.38. */
  readonly recent: number;
  /** Where the flags of the GLIBC_2.38 need are. */
  readonly recentFlagsAt: number;
}

/**
 * A copy of `original` whose C23 scanning functions are bound to the names every glibc has (they differ
 * only in reading `0b` literals, which the addon never does). Throws `Error` when the file is not the one
 * that was examined.
 */
export function patchAddon(original: Buffer, build: AddonBuild): Buffer {
  const sum = createHash('sha256').update(original).digest('hex');
  const expected = addonChecksums[build.file];
  if (sum !== expected) {
    throw new Error(`${build.file} has checksum ${sum}, expected ${expected}: not touching an unknown file`);
  }
  const copy = Buffer.from(original);
  const sections = readSections(copy);
  const symbols = only(sections, SHT_DYNSYM);
  const names = sections[symbols.link];
  if (names === undefined) throw new Error(`${build.file}: no name table`);
  const versions = findVersions(copy, only(sections, SHT_VERNEED), { names, base: build.baseVersion });
  const versionTable = only(sections, SHT_VERSYM).offset;

  const left = new Set(build.symbols);
  for (let index = 0; index * SYMBOL_BYTES < symbols.size; index += 1) {
    const versionAt = versionTable + index * 2;
    if ((copy.readUInt16LE(versionAt) & 0x7fff) !== versions.recent) continue;
    const symbolAt = symbols.offset + index * SYMBOL_BYTES;
    const nameAt = copy.readUInt32LE(symbolAt);
    const name = textAt(copy, names.offset + nameAt);
    if (!left.delete(name)) throw new Error(`${build.file}: unexpected ${newVersion} symbol`);
    copy.writeUInt32LE(nameAt + prefix.length, symbolAt);
    copy.writeUInt16LE(versions.base, versionAt);
  }
  if (left.size > 0) throw new Error(`${build.file}: missing symbols ${[...left].join(', ')}`);
  copy.writeUInt16LE(copy.readUInt16LE(versions.recentFlagsAt) | VER_FLG_WEAK, versions.recentFlagsAt);
  return copy;
}

function readSections(elf: Buffer): readonly Section[] {
  const isElf64LittleEndian = elf.readUInt32BE(0) === 0x7f454c46 && elf[4] === 2 && elf[5] === 1;
  if (!isElf64LittleEndian) throw new Error('not a 64-bit little-endian ELF file');
  const start = Number(elf.readBigUInt64LE(0x28));
  const entryBytes = elf.readUInt16LE(0x3a);
  const count = elf.readUInt16LE(0x3c);
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * entryBytes;
    return {
      type: elf.readUInt32LE(at + 4),
      offset: Number(elf.readBigUInt64LE(at + 24)),
      size: Number(elf.readBigUInt64LE(at + 32)),
      link: elf.readUInt32LE(at + 40),
    };
  });
}

function only(sections: readonly Section[], type: number): Section {
  const found = sections.filter((section) => section.type === type);
  if (found.length !== 1 || found[0] === undefined) throw new Error('not exactly one section of a kind');
  return found[0];
}

function findVersions(elf: Buffer, needs: Section, wanted: { names: Section; base: string }): Versions {
  let base: number | undefined;
  let recent: number | undefined;
  let recentFlagsAt = 0;
  // vn_next and vna_next are relative to the entry that holds them, 0 ends either list.
  for (let needAt = needs.offset, next = -1; next !== 0; needAt += next) {
    next = elf.readUInt32LE(needAt + 12);
    if (textAt(elf, wanted.names.offset + elf.readUInt32LE(needAt + 4)) !== libc) continue;
    let at = needAt + elf.readUInt32LE(needAt + 8);
    for (let left = elf.readUInt16LE(needAt + 2); left > 0; left -= 1) {
      const version = textAt(elf, wanted.names.offset + elf.readUInt32LE(at + 8));
      if (version === wanted.base) base = elf.readUInt16LE(at + 6);
      if (version === newVersion) {
        recent = elf.readUInt16LE(at + 6);
        recentFlagsAt = at + 4;
      }
      at += elf.readUInt32LE(at + 12);
    }
  }
  if (base === undefined || recent === undefined)
    throw new Error(`no need of ${wanted.base} and ${newVersion}`);
  return { base, recent, recentFlagsAt };
}

function textAt(elf: Buffer, start: number): string {
  return elf.toString('latin1', start, elf.indexOf(0, start));
}
