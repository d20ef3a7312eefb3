import { SlowFiles } from '../../guests/slow-files.ts';
import { Counters, growth, steppedBack } from '../../kernel/base/counters.ts';
import { KernelFile, readOnce } from '../../kernel/base/kernel-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { hostProcess } from '../../kernel/base/paths.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { parseMountinfo } from '../../kernel/pid/proc-pid-mountinfo.ts';
import { objsetsOf, zfsPools } from '../../kernel/sys/zfs/zfs-datasets.ts';
import { ZfsObjset, parseZfsObjset, zfsObjsetCounters as c } from '../../kernel/sys/zfs/zfs-objset.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { HostTarget } from '../collector.ts';
import { Totals, now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const to = slots('disk', 'host_pool');
const MIB = 2 ** 20;
const COUNTERS = Object.keys(c).length;
/** Seconds between two readings: one of a pool takes 10 to 20 us for each of its file systems and volumes. */
const BEAT = 10;
/** ms that a pool may take to report its free space: one whose disks are gone never does. */
const DEADLINE = 1000;
/** What statfs says the type of a file system of ZFS is (include/sys/zfs_vfsops_os.h of OpenZFS). */
const ZFS_MAGIC = 0x2fc12fc1;
const HEALTHY = 'ONLINE';

const rates = [
  [to.pool_reads, c.reads, 1],
  [to.pool_writes, c.writes, 1],
  [to.pool_read_mib, c.readBytes, MIB],
  [to.pool_write_mib, c.writeBytes, MIB],
] as const;

/** What reports how full a file system is. */
interface FileSystems {
  statfs(path: string): Promise<{ readonly type: number; readonly bavail: number; readonly bsize: number }>;
}

/** One pool as it was last looked at. */
class Pool {
  state: string | undefined;
  /** Bytes; NaN where that is not known. */
  available = NaN;
  private readonly values = new Float64Array(COUNTERS).fill(NaN);
  private readonly totals = new Totals(COUNTERS);
  /** What each file system and volume had counted, by the path of its file. */
  private known = new Map<string, Counters>();
  private readAt = NaN;

  constructor(
    private readonly paths: Paths,
    readonly name: string,
  ) {}

  /** Adds up what its file systems and volumes did. One that was mounted since begins at 0. @param time monotonic seconds */
  read(time: number, objset: ZfsObjset): void {
    this.state = readOnce(this.paths.zfsPools(this.name, 'state'));
    const elapsed = time - this.readAt;
    this.readAt = time;
    this.values.fill(0);
    const known = new Map<string, Counters>();
    for (const path of objsetsOf(this.paths, this.name)) {
      const file = new KernelFile(path);
      const isRead = readRecord(file, parseZfsObjset, objset);
      file.close();
      const before = this.known.get(path);
      if (isRead) this.grow(before, objset.counters);
      else if (before === undefined) continue;
      const counters = before ?? new Counters(COUNTERS);
      // Where no descriptor was left its counts are taken up again later.
      if (isRead) counters.copy(objset.counters);
      known.set(path, counters);
    }
    this.known = known;
    for (let i = 0; i < COUNTERS; i++) this.values[i] = (this.values[i] as number) / elapsed;
  }

  private grow(before: Counters | undefined, counters: Counters): void {
    for (let i = 0; i < COUNTERS; i++) {
      const isAnew = before === undefined || steppedBack(before, counters, i);
      const grown = isAnew ? counters.value(i) : growth(before, counters, i);
      // At the first reading it is not known when that happened.
      if (this.known.size > 0) this.totals.add(i, grown);
      this.values[i] = (this.values[i] as number) + grown;
    }
  }

  set(row: Row): void {
    row.texts[to.pool_state] = this.state;
    row.values[to.pool_degraded] = this.state === undefined ? NaN : Number(this.state !== HEALTHY);
    row.values[to.pool_available] = this.available;
    for (const [slot, counter, unit] of rates) {
      row.values[slot] = (this.values[counter] as number) / unit;
      row.counters[slot] = this.totals.at(counter);
    }
  }
}

/** The ZFS pools of the host: their state, the room they have, and what their file systems and volumes do together. */
export class HostPools {
  /** Settled while no pool is asked how much room it has. */
  asking: Promise<void> = Promise.resolve();
  private pools: readonly Pool[] = [];
  private isAsking = false;
  private readonly beat = new SlowBeat(BEAT);
  private readonly objset = new ZfsObjset();

  /** @param files asks file systems how full they are, each with a deadline */
  constructor(
    private readonly paths: Paths,
    private readonly files: FileSystems = new SlowFiles(DEADLINE),
  ) {}

  collect({ devices }: HostTarget): void {
    const time = now();
    if (this.beat.due(time)) this.look(time);
    for (const pool of this.pools) pool.set(devices.pools.add(pool.name));
  }

  private look(time: number): void {
    const known = new Map(this.pools.map((pool) => [pool.name, pool]));
    this.pools = zfsPools(this.paths).map((name) => known.get(name) ?? new Pool(this.paths, name));
    for (const pool of this.pools) pool.read(time, this.objset);
    if (this.pools.length > 0 && !this.isAsking) this.asking = this.ask(this.pools);
  }

  /** Asks each pool how much room it has, in the background. Never rejects. */
  private async ask(pools: readonly Pool[]): Promise<void> {
    this.isAsking = true;
    const mounts = parseMountinfo(readOnce(this.paths.pid(hostProcess, 'mountinfo')) ?? '');
    for (const pool of pools) {
      // Other file systems may have quotas; the topmost one has all that is left.
      const mount = mounts.find(({ type, source }) => type === 'zfs' && source === pool.name);
      pool.available = mount === undefined ? NaN : await this.availableAt(mount.point);
    }
    this.isAsking = false;
  }

  private async availableAt(point: string): Promise<number> {
    try {
      const { type, bavail, bsize } = await this.files.statfs(point);
      return type === ZFS_MAGIC ? bavail * bsize : NaN;
    } catch {
      return NaN;
    }
  }
}
