import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** ms between two checks of the memory. */
const INTERVAL = 20_000;
/** Bytes that memory may grow by before it is collected. */
const GROWTH = 8 << 20;

/**
 * Keeps resident memory low and flat. A record lives for some seconds, until it is delivered and need not be sent
 * again: long enough to leave the young generation, and V8 lets some 64 MB of such buffers pass before it collects the
 * old one. Measured with 200 VMs over TCP: 111 MiB and growing after 200 s without; 80 MiB and flat with a collection
 * every 20 s and the young generation kept small (see build.mjs). As it is now, over a pipe and for two minutes: 78 MiB with
 * monitors asked every 5 s, 83 MiB every second.
 *
 * Only where memory grew: a collection takes 15 to 35 ms, and V8 then compiles much of the hot code anew (seen with
 * --trace-opt). Every 20 s whether needed or not: 12.3 ms a second with 50 domains of libvirt, 7.3 without any.
 *
 * Not for the view, which stands still meanwhile: 48 ms with 400 VMs, in place of 14 ms at most where V8 does it when it sees fit.
 *
 * Does nothing where the program was started without --expose-gc.
 */
export function keepMemoryLow(): void {
  const { gc } = globalThis;
  if (gc === undefined) return;
  let least = size();
  setInterval(() => {
    const now = size();
    least = Math.min(least, now);
    if (now - least < GROWTH) return;
    gc();
    least = size();
  }, INTERVAL).unref();
}

/** Percent of what is in use by which the memory of a view of many hosts may grow until all of it is looked through. */
const MAY_GROW = 100;

/**
 * Lets V8 collect the old generation less often. With 3200 guests in a view it looked through 65 MiB every six seconds, which took a
 * fifth of the CPU time of the program; so it does every twenty, for 10 MiB more of resident memory.
 */
export function letMemoryGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${MAY_GROW}`);
}

/** Bytes of objects and buffers, including unused ones. */
function size(): number {
  // Not process.memoryUsage(), which opens a file for it.
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
