// What every fuzz target is made of: properties that hold for kept cases first, then for values at random.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';

export interface FuzzProperty {
  /** A sentence; part of the names of kept cases. */
  readonly name: string;
  readonly arbitrary: fc.Arbitrary<unknown>;
  readonly check: (value: never) => void | Promise<void>;
  /** Values at random in the short form. */
  readonly runs: number;
}

interface KeptCase {
  readonly file: string;
  readonly property: string;
  readonly value: unknown;
}

/** Values must survive JSON, so that they can be kept; bytes are text of one char a byte. */
export function property<T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => void | Promise<void>,
  runs = 300,
): FuzzProperty {
  return { name, arbitrary, check, runs };
}

/**
 * Registers the tests of one target. `FUZZ_SEED=seed` or `seed:path`, as a failure prints it, runs the same values
 * again; with `FUZZ_SECONDS` each target takes that long, and what fails is kept in `corpus/<target>/`.
 */
export function fuzz(target: string, properties: readonly FuzzProperty[]): void {
  const kept = readKept(target);
  const known = new Set(properties.map(({ name }) => name));
  test(`${target}: every kept case belongs to a property`, () => {
    const lost = kept.filter((one) => !known.has(one.property)).map(({ file }) => file);
    if (lost.length > 0) throw new Error(`no property for ${lost.join(', ')}`);
  });
  for (const each of properties) {
    test(`${target}: ${each.name}`, async () => {
      for (const { file, property: of, value } of kept) {
        if (of === each.name) await runKept(file, () => each.check(value as never));
      }
      await runRandom(target, each, properties.length);
    });
  }
}

/** Milliseconds of CPU time that this process spends in `work`: what others do at the same time does not count. */
export function cpuTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Text of one char a byte, any byte. */
export function bytes(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)), maxLength });
}

/** Pieces in any order and number: what a grammar's own words make when nobody minds the grammar. */
export function soup(pieces: readonly string[], maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...pieces), { maxLength }).map((parts) => parts.join(''));
}

export type Change = readonly [kind: number, at: number, text: string];

/** Changes for `applyChanges`: put in, take out, put in place of. */
export function changes(text: fc.Arbitrary<string>, maxLength = 6): fc.Arbitrary<readonly Change[]> {
  return fc.array(fc.tuple(fc.nat(2), fc.nat(), text), { maxLength });
}

export function applyChanges(text: string, list: readonly Change[]): string {
  let changed = text;
  for (const [kind, seed, piece] of list) {
    const at = seed % (changed.length + 1);
    const gone = kind === 0 ? 0 : Math.max(1, piece.length);
    changed = changed.slice(0, at) + (kind === 1 ? '' : piece) + changed.slice(at + gone);
  }
  return changed;
}

const corpus = join(import.meta.dirname, 'corpus');

function readKept(target: string): readonly KeptCase[] {
  let names: string[];
  try {
    names = readdirSync(join(corpus, target)).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  return names.sort().map((file) => {
    const one = JSON.parse(readFileSync(join(corpus, target, file), 'utf8')) as Omit<KeptCase, 'file'>;
    return { ...one, file };
  });
}

async function runKept(file: string, check: () => void | Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    throw new Error(`kept case ${file}: ${messageOf(error)}`, { cause: error });
  }
}

async function runRandom(target: string, each: FuzzProperty, share: number): Promise<void> {
  const seconds = Number(process.env['FUZZ_SECONDS'] ?? '0');
  const { check } = each;
  const held = fc.asyncProperty(each.arbitrary, async (value) => {
    await check(value as never);
  });
  const bounds =
    seconds > 0
      ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: (seconds * 1000) / share }
      : { numRuns: each.runs };
  const { path, ...seed } = seedOf(process.env['FUZZ_SEED']);
  // A path belongs to one property; in another it may lead nowhere, and that one runs its values by the seed.
  const replayed = path === undefined ? null : await tryReplay(() => fc.check(held, { ...seed, path }));
  const details = replayed ?? (await fc.check(held, { ...bounds, ...seed }));
  if (seconds > 0) process.stderr.write(`  ${target}: ${each.name}: ${details.numRuns} runs\n`);
  if (!details.failed || details.counterexample === null) return;
  const [value] = details.counterexample;
  const again = `FUZZ_SEED=${details.seed}:${details.counterexamplePath} npm test -- fuzz/${target}`;
  const file = seconds > 0 ? `\nkept as ${keep(target, each.name, value)}` : '';
  const error = details.errorInstance;
  throw new Error(`${messageOf(error)}\nwith ${fc.stringify(value)}\nagain: ${again}${file}`, {
    cause: error,
  });
}

async function tryReplay<T>(replay: () => Promise<T>): Promise<T | null> {
  try {
    return await replay();
  } catch {
    return null;
  }
}

function seedOf(text: string | undefined): { seed?: number; path?: string } {
  if (text === undefined || text === '') return {};
  const colon = text.indexOf(':');
  if (colon === -1) return { seed: Number(text) };
  return { seed: Number(text.slice(0, colon)), path: text.slice(colon + 1) };
}

function keep(target: string, name: string, value: unknown): string {
  const text = `${JSON.stringify({ property: name, value }, null, 2)}\n`;
  const file = `found-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.json`;
  mkdirSync(join(corpus, target), { recursive: true });
  writeFileSync(join(corpus, target, file), text);
  return join('test/fuzz/corpus', target, file);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
