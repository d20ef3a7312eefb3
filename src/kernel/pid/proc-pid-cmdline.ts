import { closeSync, openSync, readSync } from 'node:fs';
import type { Paths } from '../base/paths.ts';

/** Bytes of arguments that are read of a process; QEMU with 200 devices has 120 kB, anybody can have 6 MB. */
export const LARGEST_CMDLINE = 256 * 1024;
/** Arguments that a process may have; QEMU with 200 devices has 900. */
const MOST_ARGUMENTS = 4096;
const buffer = Buffer.allocUnsafeSlow(LARGEST_CMDLINE + 1);

/**
 * Parses /proc/<pid>/cmdline: the arguments, each ended by a NUL byte. Empty for kernel threads and zombies,
 * and where there are more than QEMU can have.
 */
export function parseCmdline(text: string): string[] {
  const argv = text.split('\0');
  if (argv.at(-1) === '') argv.pop();
  return argv.length > MOST_ARGUMENTS ? [] : argv;
}

/**
 * The arguments of a process; empty when it is gone, or has more bytes than {@link LARGEST_CMDLINE}. Read it seldom: the kernel
 * takes a lock of the process for it, and may block.
 */
export function readCmdline(paths: Paths, pid: number): string[] {
  try {
    const length = read(paths.pid(pid, 'cmdline'));
    return length > LARGEST_CMDLINE ? [] : parseCmdline(buffer.toString('utf8', 0, length));
  } catch {
    return [];
  }
}

/** Reads a file into the buffer. @returns its length, or that of the buffer where the file is longer */
function read(path: string): number {
  const fd = openSync(path, 'r');
  try {
    let length = 0;
    for (let more = -1; more !== 0 && length < buffer.length; length += more)
      more = readSync(fd, buffer, length, buffer.length - length, null);
    return length;
  } finally {
    closeSync(fd);
  }
}

/**
 * The argument behind an option that QEMU takes with one or two dashes.
 * @param name without dashes: pidfile, name, uuid, m, smp, ...
 * @returns undefined where the option is missing or is the last argument; of repeated ones the last, which QEMU uses
 */
export function option(argv: readonly string[], name: string): string | undefined {
  const at = Math.max(argv.lastIndexOf(`-${name}`), argv.lastIndexOf(`--${name}`));
  return at < 0 ? undefined : argv[at + 1];
}
