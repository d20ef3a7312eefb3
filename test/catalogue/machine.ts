import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Detail, Guest } from '../../src/guests/guest.ts';
import { Cgroup } from '../../src/kernel/sys/cgroup/cgroup.ts';
import { Paths } from '../../src/kernel/base/paths.ts';
import { Process } from '../../src/kernel/process/process.ts';
import { objset } from '../collectors/objset.ts';
import { Tree, detailOf, testVm, sourcesOf, taps } from '../collectors/support.ts';

const GIB = 2 ** 30;
const PID = 4242;

/** What differs between the captured kernels. */
export const captures = {
  'linux-6.1': { cgroupfs: 'sys/fs/cgroup', cgroup: '/vm', tap: 'tap100i0' },
  'linux-6.18': { cgroupfs: 'sys/fs/cgroup/unified', cgroup: '/', tap: 'ifb0' },
} as const;

/**
 * A captured kernel, completed with what its machine did not have: a VM's process (made up; its threads are named as QEMU
 * names them), ZFS, cpufreq, DMI, a link that is up, sensors, a power zone. Its counters grow on request.
 */
export class Machine {
  readonly paths: Paths;
  readonly vms: readonly Guest[];
  private readonly tree: Tree;
  private readonly answering;

  constructor(t: TestContext, kernel: keyof typeof captures) {
    const { cgroupfs, cgroup, tap } = captures[kernel];
    const tree = new Tree(t);
    cpSync(join(import.meta.dirname, '../fixtures', kernel), tree.root, { recursive: true });
    this.tree = tree;
    this.paths = new Paths({ ...tree.paths.roots, cgroupfs: join(tree.root, cgroupfs) });
    tree.process(PID, ['kvm', 'CPU 0/KVM']);
    tree.write('proc/sys/kernel/hostname', 'pve1\n');
    tree.write('proc/sys/kernel/osrelease', '6.8.12-4-pve\n');
    tree.write('proc/spl/kstat/zfs/arcstats', 'name type data\nsize 4 1073741824\n');
    tree.write('proc/spl/kstat/zfs/rpool/state', 'ONLINE\n');
    tree.write('proc/spl/kstat/zfs/rpool/objset-0x36', objset('rpool', { reads: 20, nread: 81_920 }));
    tree.write('sys/devices/virtual/dmi/id/product_uuid', '6e26d5a1-2b7f-4b0e-9c1d-0123456789ab\n');
    for (const file of ['scaling_cur_freq', 'cpuinfo_min_freq', 'cpuinfo_max_freq']) {
      tree.write(`sys/devices/system/cpu/cpu0/cpufreq/${file}`, '2000000\n');
    }
    tree.write('sys/class/net/eth0/speed', '10000\n');
    tree.write('sys/class/hwmon/hwmon0/name', 'acpitz\n');
    for (const file of ['temp1_input', 'temp1_crit', 'fan1_input'])
      tree.write(`sys/class/hwmon/hwmon0/${file}`, '1500\n');
    tree.write('sys/class/powercap/intel-rapl:0/name', 'package-0\n');
    tree.write('sys/class/block/vda/dm/name', 'name\n');

    const process = Process.open(this.paths, PID)!;
    for (const thread of process.threads) thread.vcpu = thread.tid === PID ? undefined : 0;
    const ownCgroup = new Cgroup(this.paths, cgroup);
    t.after(() => {
      process.close();
      ownCgroup.close();
    });
    this.answering = testVm({
      ...{ uuid: 'u1', name: 'one', vmid: '100', tags: 'a', lock: 'backup', memory: 4 * GIB },
      disks: [{ device: 'scsi0', capacity: GIB }],
      nics: taps(tap),
      pid: PID,
      sources: sourcesOf(process, ownCgroup),
    });
    this.vms = [this.answering, testVm({ uuid: 'u2', silence: { reason: 'timeout', since: 0 } })];
    this.answer(0);
  }

  /** Lets every counter grow, and the monitor answer again. */
  grow(): void {
    this.rewrite('proc/stat', /(?<=^cpu\d* +)\d.*$/gm);
    this.rewrite('proc/diskstats', /(?<= \S+[a-z]\S* )\d.*$/gm);
    this.rewrite('proc/net/dev', /(?<=: ).*$/gm);
    this.answer(100);
  }

  private answer(count: number): void {
    const kinds = ['rdOps', 'wrOps', 'flOps', 'rdBytes', 'wrBytes', 'rdTime', 'wrTime', 'flTime', 'failures'];
    const counts = Object.fromEntries(kinds.map((kind) => [kind, count]));
    const sizes = { capacity: GIB, allocation: GIB / 2, physical: GIB };
    const balloon = {
      actual: GIB,
      max: GIB,
      age: 1,
      total: GIB,
      free: GIB / 2,
      swapIn: count,
      swapOut: count,
    };
    const detail: Detail = detailOf(performance.now() / 1000, { scsi0: { ...counts, ...sizes } });
    this.answering.detail = { ...detail, balloon };
    this.answering.state = 'running';
  }

  /** Makes every number in the matching parts of a file larger by 10. */
  private rewrite(file: string, part: RegExp): void {
    const text = readFileSync(join(this.tree.root, file), 'utf8');
    this.tree.write(
      file,
      text.replace(part, (numbers) => numbers.replaceAll(/\d+/g, (number) => String(Number(number) + 10))),
    );
  }
}
