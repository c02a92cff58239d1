// Every bound and waiting time of the primary, in one place. Times in milliseconds, sizes in bytes.

/** From fork to `ready`: loading the sources on a busy machine. */
export const readyTimeout = 30_000;
/** From a snapshot to its ack, from `listen` to `listening`, from a purge to its confirmation. */
export const ackTimeout = 10_000;
/** A worker that dies younger than this counts towards a crash loop. */
export const youngDeath = 5_000;
/** The first wait of a crash loop, and the longest. */
export const backoffFirst = 100;
export const backoffMost = 10_000;
/** How long a worker may take beyond its drain deadline before it is killed. */
export const drainSlack = 2_000;
/** Serialised snapshot: what a channel may carry without stalling both sides. */
export const maxSnapshotBytes = 64 * 1024 * 1024;
/** Diagnostics kept for the API and written to the log per reload. */
export const maxDiagnostics = 200;
/** Health probes under way at once, over all services. */
export const maxProbes = 64;
/** Purges waiting for their confirmations at once. */
export const maxPurges = 64;
/** Body of one answer of the API. */
export const maxApiAnswerBytes = 32 * 1024 * 1024;
/** What uWebSockets.js may be told to take of a head, whatever `maxHeaderBytes` says. */
export const maxHeaderMemory = 1024 * 1024 + 4096;
