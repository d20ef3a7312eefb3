import { readOnce } from './kernel-file.ts';
import type { Paths } from './paths.ts';

/**
 * Parses /proc/<pid>/cmdline: the arguments, each ended by a NUL byte. Empty for kernel threads and zombies.
 */
export function parseCmdline(text: string): string[] {
  const argv = text.split('\0');
  if (argv.at(-1) === '') argv.pop();
  return argv;
}

/**
 * The arguments of a process; empty when it is gone. Read it seldom: the kernel takes a lock of the process for it, and
 * may block.
 */
export function readCmdline(paths: Paths, pid: number): string[] {
  return parseCmdline(readOnce(paths.pid(pid, 'cmdline')) ?? '');
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
