import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { headAt, headBytes, memberBytes, memberMark } from './member.ts';

const WINDOW = 1 << 20;

/** A member of a file, found by its head; its body was not looked at. */
export interface MemberPlace {
  readonly path: string;
  readonly offset: number;
  /** Of the whole member. */
  readonly bytes: number;
  /** Times of its earliest and its latest sample, ms since 1970. */
  readonly first: number;
  readonly last: number;
  readonly samples: number;
}

/** What stands in a file from some offset on. */
export interface Walked {
  readonly members: readonly MemberPlace[];
  /** Where the next member would begin. */
  readonly end: number;
  /** Places at which something else stood between members. */
  readonly damages: number;
  /** Whether something stands behind the last member: it is torn, or being written. */
  readonly torn: boolean;
}

/**
 * Finds the members of a file: by the lengths in their heads and, where something else stands, by their mark.
 *
 * @param from where one begins
 * @throws Error of node:fs
 */
export async function walk(path: string, from = 0): Promise<Walked> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const members: MemberPlace[] = [];
    const buffer = Buffer.alloc(headBytes);
    let damages = 0;
    let at = from;
    while (at < size) {
      const { bytesRead } = await file.read(buffer, 0, headBytes, at);
      const head = bytesRead === headBytes ? headAt(buffer, 0) : undefined;
      if (head !== undefined && at + memberBytes(head) <= size) {
        const { first, last, samples } = head;
        members.push({ path, offset: at, bytes: memberBytes(head), first, last, samples });
        at += memberBytes(head);
        continue;
      }
      const next = await search(file, at + 1, size);
      if (next === undefined) return { members, end: at, damages, torn: true };
      damages++;
      at = next;
    }
    return { members, end: at, damages, torn: false };
  } finally {
    await file.close();
  }
}

/** Where the next whole member begins; undefined where none does. */
async function search(file: FileHandle, from: number, size: number): Promise<number | undefined> {
  const window = Buffer.alloc(WINDOW);
  // Windows overlap, as a head may stand across their border.
  for (let at = from; at < size; at += WINDOW - headBytes) {
    const { bytesRead } = await file.read(window, 0, WINDOW, at);
    const bytes = window.subarray(0, bytesRead);
    for (let found = bytes.indexOf(memberMark); found >= 0; found = bytes.indexOf(memberMark, found + 1)) {
      const head = headAt(bytes, found);
      if (head !== undefined && at + found + memberBytes(head) <= size) return at + found;
    }
  }
  return undefined;
}
