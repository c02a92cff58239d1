// SHA-256 of every file with native code that the gateway may load, one line for each platform and ABI.

/**
 * Of the package's own files, in hex. A new version of the package changes all of them: the five names end in the ABI
 * that `addon.ts` asks for.
 */
export const addonChecksums = {
  'uws_linux_x64_137.node': '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05',
  'uws_linux_arm64_137.node': '88618b30ddf6b2b62310db89f40a701616676352aac5e0f6184dd8ef876199ce',
  'uws_darwin_x64_137.node': '98fd7e9456e2d37d3262b05b053d673830927f91c63c0c2ae73bde8d19eef293',
  'uws_darwin_arm64_137.node': '2187391c702fa7ad3bf685eff7712c15cf24fa7cf324a131dfcbae3fd0f20a9a',
  'uws_win32_x64_137.node': '84ae72d2149e6ffa2a44063344073599027b1ce8bffaab3957903f966b0c6bb9',
} as const;

export type AddonFile = keyof typeof addonChecksums;

/** Of the copies for an older glibc, under the name of the file they are made of. */
export const copyChecksums: Readonly<Partial<Record<AddonFile, string>>> = {
  'uws_linux_x64_137.node': '337e7312c83b0df8accbe2446055c1e663ef14824712a055dfb8c34852cd8d69',
  'uws_linux_arm64_137.node': 'c52f98e37763f821adfd7a24445de06c5941db0bb99b92fd2ac06d5f65cd50f8',
};
