/** Shares of the memory, in percent. */
const TIGHT = 4;
const SCARCE = 10;
/** Percent of the time in which a task waited for memory. */
const PRESSURE = 10;
/** Bytes a second that are read back from swap. */
const SWAPPING = 2 ** 20;

/** What the state of a host's memory follows from; NaN where not known. */
export interface MemoryLevels {
  /** Bytes. */
  readonly total: number;
  /** Bytes that could be had without swapping, the ZFS cache above its minimum among them. */
  readonly obtainable: number;
  /** Bytes a second read from swap. */
  readonly swapIn: number;
  /** Percent of the last 10 s. */
  readonly pressure: number;
}

/**
 * The memory state of a host. Swap that is not read back is harmless, and so is a large cache.
 * @returns swapping: a task waits for swapped-out data; tight: swapping is near; undefined where it is not known
 */
export function memoryState(levels: MemoryLevels): 'ok' | 'tight' | 'swapping' | undefined {
  const { total, obtainable, swapIn, pressure } = levels;
  if (swapIn >= SWAPPING) return 'swapping';
  const share = (obtainable / total) * 100;
  if (Number.isNaN(share)) return undefined;
  return share <= TIGHT || (share <= SCARCE && pressure >= PRESSURE) ? 'tight' : 'ok';
}
