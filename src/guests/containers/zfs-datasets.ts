import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KernelFile } from '../../kernel/base/kernel-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { ZfsObjset, parseZfsObjset } from '../../kernel/sys/zfs-objset.ts';

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

/** Finds the file in which ZFS counts the I/O of a data set: a file is named after a number, the data set stands in it. */
export class ZfsDatasets {
  private readonly pools = new Map<string, Pool>();
  private readonly objset = new ZfsObjset();

  constructor(private readonly paths: Paths) {}

  /** Tells that the file of a data set is not its own any more: it was renamed, or mounted anew. */
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
    for (const entry of this.entries(name)) {
      if (!OBJSET.test(entry) || seen.has(entry)) continue;
      seen.add(entry);
      const path = join(this.paths.zfsObjsets(name), entry);
      const file = new KernelFile(path);
      if (readRecord(file, parseZfsObjset, this.objset)) paths.set(this.objset.dataset, path);
      file.close();
    }
  }

  private entries(pool: string): string[] {
    try {
      return readdirSync(this.paths.zfsObjsets(pool));
    } catch {
      return [];
    }
  }
}

function poolOf(dataset: string): string {
  return dataset.split('/', 1)[0] ?? '';
}
