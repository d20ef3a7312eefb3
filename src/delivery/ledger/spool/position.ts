import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { openOwnFile } from '../../shared/own-files.ts';
import { readSpoolFile } from './files.ts';

/** Numbers of records, the end excluded. */
export interface NumberRange {
  readonly first: number;
  readonly end: number;
}

/** What a spool holds: it distinguishes a missing file from one whose records have arrived. */
export interface Holdings {
  /** Records that are not settled, ascending. */
  readonly ranges: readonly NumberRange[];
  /** The number of the next record; undefined where 0.1.0 wrote the file. */
  readonly next: number | undefined;
}

const slotBytes = 512;

/**
 * The file `position`: what is not settled in a spool.
 *
 *     2 GENERATION NEXT FIRST-END,FIRST-END... CRC-32
 *
 * It has two slots of 512 bytes, padded with blanks, which are written in turn and in place: this needs no room on a
 * full disk, and a write that is torn leaves the slot before. 0.1.0 wrote one line, `FIRST CRC-32`.
 */
export class Position {
  private readonly path: string;
  private generation = 0;
  private handle: FileHandle | undefined;
  private written = '';

  constructor(directory: string) {
    this.path = join(directory, 'position');
  }

  /** Reads the file; undefined where it is missing or damaged. @throws Error for one that is not ours or cannot be read */
  async load(): Promise<Holdings | undefined> {
    const bytes = await readSpoolFile(this.path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const text = bytes.toString('latin1');
    const slots = [text.slice(0, slotBytes), text.slice(slotBytes)].flatMap((slot) => parseSlot(slot) ?? []);
    slots.sort((a, b) => b.generation - a.generation);
    this.generation = slots[0]?.generation ?? 0;
    return slots[0]?.holdings;
  }

  /**
   * Writes the file where it has to change.
   *
   * @param sync whether to have it on disk when this resolves
   * @throws Error of node:fs; the next call tries again
   */
  async save(holdings: Required<Holdings>, sync: boolean): Promise<void> {
    const content = contentOf(holdings);
    if (content === this.written && !sync) return;
    this.handle ??= await openOwnFile(this.path, constants.O_RDWR | constants.O_CREAT);
    const line = `2 ${++this.generation} ${content}`;
    const slot = `${line} ${checksum(line)}`.padEnd(slotBytes - 1) + '\n';
    await this.handle.write(slot, (this.generation & 1) * slotBytes, 'latin1');
    if (sync) await this.handle.datasync();
    this.written = content;
  }

  async close(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    await handle?.close();
  }
}

/** `NEXT RANGES`, in as many ranges as a slot has room for: where there are more, the nearest are joined. */
function contentOf({ ranges, next }: Required<Holdings>): string {
  const joined = [...ranges];
  for (;;) {
    const text = `${next} ${joined.map(({ first, end }) => `${first}-${end}`).join(',')}`;
    if (text.length <= slotBytes - 40) return text;
    let nearest = 1;
    const gap = (index: number): number => (joined[index]?.first ?? 0) - (joined[index - 1]?.end ?? 0);
    for (let index = 2; index < joined.length; index++) if (gap(index) < gap(nearest)) nearest = index;
    const [before, after] = joined.slice(nearest - 1, nearest + 1);
    if (before === undefined || after === undefined) return text;
    joined.splice(nearest - 1, 2, { first: before.first, end: after.end });
  }
}

function parseSlot(slot: string): { readonly generation: number; readonly holdings: Holdings } | undefined {
  const found = /^(.*) ([0-9a-f]{1,8}) *\n?$/.exec(slot);
  const [, line = '', sum] = found ?? [];
  if (found === null || checksum(line) !== sum) return undefined;
  const [version, generation, next, ranges = ''] = line.split(' ');
  if (generation === undefined) {
    const first = Number(version);
    return first > 0
      ? { generation: 0, holdings: { ranges: [{ first, end: Infinity }], next: undefined } }
      : undefined;
  }
  if (version !== '2') return undefined;
  const parsed = ranges
    .split(',')
    .filter(Boolean)
    .map((range) => {
      const [first = NaN, end = NaN] = range.split('-').map(Number);
      return { first, end };
    });
  return { generation: Number(generation), holdings: { ranges: parsed, next: Number(next) } };
}

function checksum(text: string): string {
  return crc32(text).toString(16);
}
