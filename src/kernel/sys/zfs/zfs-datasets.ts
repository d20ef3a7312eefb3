import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Counters } from '../../base/counters.ts';
import { KernelFile } from '../../base/kernel-file.ts';
import type { Paths } from '../../base/paths.ts';
import { readRecord } from '../../base/read.ts';
import { ZfsObjset, parseZfsObjset } from './zfs-objset.ts';

const OBJSET = /^objset-0x[\da-f]+$/;
/** Characters of the names of pools (zpool-create(8)). */
const POOL = /^[A-Za-z][\w.:-]*$/;
/** Seconds between two searches for a data set that was not there. */
const LOOK_AGAIN = 60;

/** What is known of the files of one pool. */
interface Pool {
  /** By data set. */
  readonly paths: Map<string, string>;
  /** Names of the files that were looked at: a number is not used again while the pool is there. */
  readonly seen: Set<string>;
  lookedAt: number;
}

/** The files in which ZFS counts the I/O of the data sets of a pool, a path for each; none where there is no such pool. */
export function objsetsOf(paths: Paths, pool: string): string[] {
  const directory = paths.zfsPools(pool);
  try {
    return readdirSync(directory)
      .filter((name) => OBJSET.test(name))
      .map((name) => join(directory, name));
  } catch {
    return [];
  }
}

/** The names of the pools of this host. */
export function zfsPools(paths: Paths): string[] {
  try {
    const entries = readdirSync(paths.zfsPools(), { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && POOL.test(entry.name)).map(({ name }) => name);
  } catch {
    return [];
  }
}

/**
 * Finds the file in which ZFS counts the I/O of a data set: its name is a number, and it contains the name of the data set.
 */
export class ZfsDatasets {
  private readonly pools = new Map<string, Pool>();
  private readonly objset = new ZfsObjset();

  constructor(private readonly paths: Paths) {}

  /** Notes that the file of a data set does not belong to it any more: it was renamed or mounted again. */
  forget(dataset: string): void {
    this.pools.delete(poolOf(dataset));
  }

  /** Where the file of a data set is, such as rpool/data/subvol-101-disk-0; undefined while none is known. */
  path(dataset: string): string | undefined {
    const name = poolOf(dataset);
    if (!POOL.test(name)) return undefined;
    const pool: Pool = this.pools.get(name) ?? { paths: new Map(), seen: new Set(), lookedAt: -Infinity };
    this.pools.set(name, pool);
    const time = performance.now() / 1000;
    if (!pool.paths.has(dataset) && time - pool.lookedAt >= LOOK_AGAIN) {
      pool.lookedAt = time;
      this.look(name, pool);
    }
    return pool.paths.get(dataset);
  }

  private look(name: string, { paths, seen }: Pool): void {
    for (const path of objsetsOf(this.paths, name)) {
      if (seen.has(path)) continue;
      seen.add(path);
      const file = new KernelFile(path);
      if (readRecord(file, parseZfsObjset, this.objset)) paths.set(this.objset.dataset, path);
      file.close();
    }
  }
}

/** What ZFS counts of one data set: a file system, or a volume that is open. */
export class DatasetCounts {
  private file: KernelFile | undefined;
  private readonly objset = new ZfsObjset();

  /** @param dataset such as rpool/data/vm-100-disk-0 */
  constructor(
    private readonly datasets: ZfsDatasets,
    readonly dataset: string,
  ) {}

  /** In the order of zfsObjsetCounters, valid until the next call; undefined where ZFS does not tell. */
  read(): Counters | undefined {
    if (this.file === undefined) {
      const path = this.datasets.path(this.dataset);
      if (path === undefined) return undefined;
      this.file = new KernelFile(path);
    }
    const { file, objset } = this;
    if (readRecord(file, parseZfsObjset, objset) && objset.dataset === this.dataset) return objset.counters;
    // A lack of descriptors says nothing about the data set.
    if (file.trouble !== undefined || objset.dataset !== this.dataset) {
      this.close();
      this.datasets.forget(this.dataset);
    }
    return undefined;
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }
}

function poolOf(dataset: string): string {
  return dataset.split('/', 1)[0] ?? '';
}
