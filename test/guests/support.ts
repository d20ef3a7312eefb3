import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';

/**
 * Makes a FIFO that nobody writes to: opening it hangs, as any access to a file system that hangs does. `answer` lets
 * all who wait see an empty file.
 */
export function hangingFile(t: TestContext, path: string): { answer: () => void } {
  execFileSync('mkfifo', [path]);
  // A reader of our own, which must not wait: it finds the FIFO when its name is gone.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const answer = (): void => {
    closeSync(openSync(`/proc/self/fd/${reader}`, 'r+'));
  };
  t.after(() => {
    answer(); // a thread that still hangs would keep the test from ending
    closeSync(reader);
  });
  return { answer };
}

/** Asks again and again until the answer is yes; fails when that takes a minute. */
export async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await condition())) {
    assert.ok(performance.now() < end, 'not within a minute');
    await setImmediate();
  }
}
