import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Counters } from '../../src/kernel/base/counters.ts';
import { Cursor } from '../../src/kernel/base/cursor.ts';
import { KernelFormatError } from '../../src/kernel/base/errors.ts';
import { defaultRoots, Paths } from '../../src/kernel/base/paths.ts';

/** The captured kernels; see test/fixtures/README.md. */
export const kernels = ['linux-6.1', 'linux-6.18'] as const;

/** The process captured with each of them. */
export const PID = 4242;

/** The paths of a captured kernel. */
export function fixture(kernel: string): Paths {
  const root = join(import.meta.dirname, '../fixtures', kernel);
  return new Paths({
    ...defaultRoots,
    procfs: join(root, 'proc'),
    sysfs: join(root, 'sys'),
    cgroupfs: join(root, 'sys/fs/cgroup'),
  });
}

/** A cursor over content that is followed by digits of an earlier, longer read, which must not be looked at. */
export function cursorOf(content: string | Buffer): Cursor {
  const bytes = Buffer.from(content);
  return new Cursor().reset(Buffer.concat([bytes, Buffer.alloc(64, '9')]), bytes.length);
}

/** All numbers in a record, however deep, by their place. */
export function numbersOf(value: unknown, place = ''): Map<string, number> {
  if (typeof value === 'number') return new Map([[place, value]]);
  if (value instanceof Counters) {
    return new Map(
      Array.from({ length: value.length }, (_, i) => [`${place}[${i}]`, value.value(i)] as const),
    );
  }
  if (ArrayBuffer.isView(value)) {
    return new Map(Array.from(value as Float64Array, (number, i) => [`${place}[${i}]`, number] as const));
  }
  if (typeof value !== 'object' || value === null) return new Map();
  const parts = value instanceof Map ? (value as Map<string, unknown>) : Object.entries(value);
  return new Map([...parts].flatMap(([key, part]) => [...numbersOf(part, `${place}.${key}`)]));
}

/**
 * Cuts content at every byte. Each piece must either be refused with a KernelFormatError, or give for every number
 * what the whole content gives, or NaN.
 * @param parse makes a record of a cursor, from scratch
 */
export function assertSafeCuts(content: string | Buffer, parse: (cursor: Cursor) => unknown): void {
  const bytes = Buffer.from(content);
  const whole = numbersOf(parse(cursorOf(bytes)));
  for (let length = 0; length < bytes.length; length++) {
    let cut;
    try {
      cut = numbersOf(parse(cursorOf(bytes.subarray(0, length))));
    } catch (error) {
      assert.ok(error instanceof KernelFormatError, `cut at ${length}: ${String(error)}`);
      continue;
    }
    for (const [place, number] of cut) {
      assert.ok(
        Number.isNaN(number) || Object.is(number, whole.get(place)),
        `cut at ${length}: ${place} is ${number}, not ${String(whole.get(place))}`,
      );
    }
  }
}

export function read(path: string): Buffer {
  return readFileSync(path);
}

/** Columns of a text by blanks and colons, line by line: a reading that shares nothing with the parsers. */
export function table(text: string | Buffer): string[][] {
  return text
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim().split(/[\s:]+/));
}

/** The values of all counters. */
export function valuesOf(counters: Counters): number[] {
  return Array.from({ length: counters.length }, (_, i) => counters.value(i));
}
