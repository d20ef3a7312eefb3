import { constants } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openOwnFile } from '../../shared/own-files.ts';
import { readSpoolFile } from './files.ts';
import { readFrames } from './frame.ts';
import { longestHeader, readHeader, spoolVersion } from './header.ts';
import type { SegmentHeader, SpoolIdentity } from './header.ts';
import type { Holdings, NumberRange } from './position.ts';
import { firstOf, segmentPath } from './segment.ts';

/** A segment that an earlier run left. */
export interface FoundSegment {
  readonly path: string;
  readonly bytes: number;
  /** Numbers of its records that are not settled: those that it should hold. */
  readonly numbers: NumberRange;
  /** Whether its records belong to another output, have another format or are of a version that is not known. */
  readonly stranger: boolean;
  readonly header: SegmentHeader | undefined;
}

/** What an earlier run left in the directory of a spool. */
export interface Found {
  readonly segments: readonly FoundSegment[];
  /** Records of files that are missing at the beginning. */
  readonly missing: number;
  /** Files whose records are all settled, and others that are not needed. */
  readonly settled: readonly string[];
  /** The number of the next record. */
  readonly next: number;
}

interface File {
  readonly path: string;
  readonly first: number;
  readonly bytes: number;
  readonly header: SegmentHeader | undefined;
}

/**
 * Examines what an earlier run left, without changing anything.
 *
 * A number is lost where neither a file has it nor `position` says that it is settled. If `position` contradicts the files
 * it is ignored: a record twice is better than a lost one.
 */
export async function look(
  directory: string,
  identity: SpoolIdentity,
  position: Holdings | undefined,
): Promise<Found> {
  const names = await readdir(directory);
  const firsts = names.flatMap((file) => firstOf(file) ?? []);
  firsts.sort((a, b) => a - b);
  const files: File[] = [];
  for (const first of firsts) files.push(await lookAt(segmentPath(directory, first), first));
  const newest = files.at(-1);
  const last = newest && (await endOf(newest, position?.next));
  const holdings = position !== undefined && agree(position, newest, last?.end) ? position : undefined;
  const next = Math.max(1, position?.next ?? 1, last?.end ?? 1, firstEndless(position));
  const unsettled = holdings?.ranges ?? [{ first: files[0]?.first ?? next, end: Infinity }];
  const segments: FoundSegment[] = [];
  // 0.1.0 kept its lock in files.
  const settled = names
    .filter((name) => /^(lock|draft)\.\d+$/.test(name))
    .map((name) => join(directory, name));
  let stranger = false;
  for (const [index, file] of files.entries()) {
    const { path, first, bytes, header } = file;
    // The torn record at the end of the newest counts as one, unless it was counted on.
    const end = files[index + 1]?.first ?? Math.max(last?.end ?? first, endWithin(unsettled, next));
    const torn = index === files.length - 1 && last?.torn === true && last.end >= (holdings?.next ?? 0);
    // A damaged header says nothing; its neighbours tell.
    if (header !== undefined) stranger = isStranger(header, identity);
    const numbers = within(unsettled, { first, end }, holdings?.next ?? Infinity);
    if (numbers === undefined && !torn) settled.push(path);
    else {
      const { first: from, end: to } = numbers ?? { first: end, end };
      segments.push({ path, bytes, header, stranger, numbers: { first: from, end: torn ? to + 1 : to } });
    }
  }
  // 0.1.0 did not move the position when it dropped records.
  const missing = holdings?.next === undefined ? 0 : missingBefore(unsettled, files[0]?.first ?? next, next);
  return { segments, settled, missing, next: Math.max(next, segments.at(-1)?.numbers.end ?? 1) };
}

async function lookAt(path: string, first: number): Promise<File> {
  try {
    const handle = await openOwnFile(path, constants.O_RDONLY);
    try {
      const { size: bytes } = await handle.stat();
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(longestHeader), 0, longestHeader, 0);
      return { path, first, bytes, header: readHeader(buffer.subarray(0, bytesRead)) };
    } finally {
      await handle.close();
    }
  } catch {
    // Reading it will report why.
    return { path, first, bytes: 0, header: undefined };
  }
}

/** The number behind that of the last record of a file, and whether something that is no record stands there. */
async function endOf(
  { path, first, header }: File,
  next: number | undefined,
): Promise<{ end: number; torn: boolean }> {
  let bytes: Buffer;
  try {
    bytes = await readSpoolFile(path);
  } catch {
    return { end: next ?? first, torn: false };
  }
  const { records, torn } = readFrames(bytes, header?.bytes ?? 0, first, Infinity);
  return { end: (records.at(-1)?.number ?? first - 1) + 1, torn };
}

/** Whether what `position` says can be true of these files. */
function agree({ ranges, next }: Holdings, newest: File | undefined, end = 1): boolean {
  if (newest === undefined) return true;
  const behindFirst = Math.max(end, newest.first + 1);
  if (ranges.some((range) => range.first < behindFirst && range.end > newest.first)) return true;
  // It says that the newest is settled; then what it knows behind it begins where that ends.
  const behind = [next ?? 0, ...ranges.map(({ first }) => first)].filter((number) => number > newest.first);
  return behind.length === 0 || behind.includes(end) || end > Math.max(...behind);
}

function firstEndless(position: Holdings | undefined): number {
  return position?.ranges.find(({ end }) => end === Infinity)?.first ?? 1;
}

/** The end of what is not settled, where that is known. */
function endWithin(ranges: readonly NumberRange[], next: number): number {
  const end = ranges.at(-1)?.end ?? 0;
  return end === Infinity ? 0 : Math.min(end, next);
}

/** The numbers of a file from the first to the last one that is not settled. */
function within(
  ranges: readonly NumberRange[],
  { first, end }: NumberRange,
  next: number,
): NumberRange | undefined {
  // What is newer than the position is not settled.
  const all = [...ranges, { first: next, end: Infinity }];
  const parts = all.map((range) => ({ first: Math.max(first, range.first), end: Math.min(end, range.end) }));
  const some = parts.filter((part) => part.first < part.end);
  if (some.length === 0) return undefined;
  return {
    first: Math.min(...some.map((part) => part.first)),
    end: Math.max(...some.map((part) => part.end)),
  };
}

/** Records that are not settled and have numbers below that of the first file. */
function missingBefore(ranges: readonly NumberRange[], first: number, next: number): number {
  const missing = ranges.map((range) => Math.min(first, range.end, next) - range.first);
  return missing.reduce((sum, count) => sum + Math.max(0, count), 0);
}

function isStranger({ version: found, identity }: SegmentHeader, own: SpoolIdentity): boolean {
  if (identity === undefined) return found > spoolVersion;
  return identity.output !== own.output || identity.format !== own.format || identity.schema !== own.schema;
}
