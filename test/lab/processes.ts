import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL = 5;
const DEADLINE = 180_000;

/** The state letter of a process (proc(5), field 3 of stat); undefined when there is no such process. */
export function processState(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2];
  } catch {
    return undefined;
  }
}

/** Whether the process has ended with all its threads; one that only waits for its parent to take note has. */
export function hasEnded(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((tid) => processState(Number(tid)) === 'Z');
  } catch {
    return true;
  }
}

/**
 * Waits for something that no event announces.
 * @throws Error naming `what` when it does not come true within a minute
 */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what}: still not so after ${DEADLINE} ms`);
    await sleep(POLL);
  }
}

/** {@link until} for code that may not return to the event loop, as a process's exit handler; gives up silently. */
export function untilSync(condition: () => boolean): void {
  const end = performance.now() + DEADLINE;
  const clock = new Int32Array(new SharedArrayBuffer(4));
  while (!condition() && performance.now() < end) Atomics.wait(clock, 0, 0, POLL);
}

/** The arguments of a process; none when it is gone. */
export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Whether a process of this network namespace listens on a unix socket; its file is there a moment before. */
export function listens(path: string): boolean {
  const ACCEPTS = 0x10000;
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .some((fields) => fields.at(-1) === path && (Number.parseInt(fields[3] ?? '', 16) & ACCEPTS) !== 0);
}
