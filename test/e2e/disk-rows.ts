import { statSync, truncateSync, writeFileSync } from 'node:fs';
import type { Row } from './program.ts';
import { device } from './program.ts';

/** Makes a sparse image of a size that begins with some content. @returns its path */
export function image(path: string, size: number, content = 0): string {
  writeFileSync(path, Buffer.alloc(content, 1));
  truncateSync(path, size);
  return path;
}

/** Bytes that a file takes where it lies. */
export function occupied(path: string): number {
  return statSync(path).blocks * 512;
}

/** The names of the disks of a VM. */
export function names(row: Row | undefined): unknown[] {
  return (row?.disks ?? []).map((disk) => disk['device']);
}

export function has(row: Row | undefined, name: string): boolean {
  return device(row?.disks, name) !== undefined;
}
